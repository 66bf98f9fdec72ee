import type { ConnectRouter } from '@connectrpc/connect';
import { messageOf } from '@plinth/base';
import type { MachineConfig } from '@plinth/config';
import { renderConfig } from '@plinth/config';
import { type CheckSpec, fail, pass, unknown } from '../checks/check.ts';
import type { NodeConsole } from '../console.ts';
import { clusterOf } from '../kubernetes/node/member.ts';
import { addressesCheck } from '../network/addresses-check.ts';
import type { StateStore } from '../sys/state-store.ts';
import type { Sys } from '../sys/sys.ts';
import { configService } from './config-service.ts';
import { kernelCheck } from './effect/kernel-check.ts';
import { type FoundConfig, keepConfig } from './find-config.ts';
import type { ConfigSource } from './sources/read-sources.ts';
import { chooseConfig } from './transaction/choose-config.ts';
import { openConfigStore } from './transaction/config-store.ts';
import { findDrift, type MachineFiles } from './transaction/machine-files.ts';
import { type ConfigTransaction, openTransaction } from './transaction/open-transaction.ts';
import { configOperations } from './transaction/operations.ts';
import { revisionOf } from './transaction/state.ts';

export interface ServeConfigParts {
  readonly sys: Sys;
  readonly store: StateStore;
  readonly console: NodeConsole;
  readonly files: MachineFiles;
  /** Ends this process so that it starts anew with another config. */
  restartOwn(): void;
  /** Between two looks at an open transaction; every fifth is one at health. */
  readonly tickMs: number;
}

/** The machine config this plinthd goes by. */
export interface ServedConfig {
  readonly transaction: ConfigTransaction;
  /** The config that was in effect when plinthd started; parts that read it once start anew with plinthd. */
  readonly config: MachineConfig;
  readonly source: ConfigSource;
  /** Checks about the config: kept, as the machine has it, addresses. */
  readonly checks: readonly CheckSpec[];
  readonly routes: (router: ConnectRouter) => void;
}

/** serveConfig chooses the config the node goes by; undefined when there is none it can use. Throws what the store throws. */
export async function serveConfig(
  found: FoundConfig,
  { sys, store, tickMs, ...parts }: ServeConfigParts,
): Promise<ServedConfig | undefined> {
  const configs = openConfigStore(store);
  const cluster = () => clusterOf(store);
  const chosen = await chooseConfig(sys, configs, found, cluster);
  if (!chosen) return undefined;
  const transaction = openTransaction(chosen, {
    ...parts,
    sys,
    store: configs,
    tickMs,
    healthMs: 5 * tickMs,
  });
  const kept = found.ok && chosen.provisioningProblems.length === 0;
  const unkept = kept ? await keepConfig(store, found).then(() => undefined, messageOf) : undefined;
  const sourceNow = () => sourceOf(transaction, found);
  const { provisioningProblems } = chosen;
  return {
    transaction,
    config: chosen.config,
    source: sourceNow(),
    checks: [
      configCheck(sourceNow, unkept, provisioningProblems),
      driftCheck(transaction),
      addressesCheck(() => transaction.config().network, transaction.problem),
      kernelCheck(transaction.config),
    ],
    routes: configService({
      ...{ transaction, provisioningProblems, source: sourceNow },
      operations: configOperations(transaction, {
        volatileBecause: store.volatileBecause,
        clusterOf: cluster,
      }),
    }),
  };
}

/** A config of an earlier provisioning that the machine no longer gives is there because it was kept. */
function sourceOf(transaction: ConfigTransaction, found: FoundConfig): ConfigSource {
  const state = transaction.state();
  const source = revisionOf(state, state.current)?.source;
  if (source === 'api') return 'api';
  return found.ok && source === found.source ? found.source : 'persisted';
}

/**
 * configCheck tells whether the machine config is kept on disk, and whether the one the machine was given can be used.
 * @param unkept why it is not kept; undefined when it is
 */
function configCheck(
  source: () => ConfigSource,
  unkept: string | undefined,
  provisioningProblems: readonly string[],
): CheckSpec {
  return {
    id: 'machine-config',
    expected: 'valid and kept on disk',
    source: 'what the machine was given, and /var/lib/plinth',
    fix: 'Mend /var; the config is stored at the next start.',
    observe: async () => {
      const [problem] = provisioningProblems;
      if (problem !== undefined)
        return {
          ...fail(`the provisioned config is not valid: ${problem}`),
          cause: 'The machine was given another config that cannot be used; the last good one is in effect.',
          fix: 'Correct the config where it is given to the machine, then restart it.',
        };
      if (unkept !== undefined) return fail(`the config cannot be stored: ${unkept}`);
      return pass(`valid, from ${source()}`);
    },
  };
}

function driftCheck(transaction: ConfigTransaction): CheckSpec {
  return {
    id: 'config-drift',
    expected: 'every file is as the machine config says',
    source: 'the files of the config',
    cause: 'Something other than plinthd changed a file of the machine config.',
    fix: 'Find out what changed the file; a reboot makes it anew from the config.',
    observe: async (sys) => {
      const { current, work } = transaction.state();
      if (!work.done) {
        const problem = transaction.problem();
        const observed = `revision ${current} is being brought about${problem && `: ${problem}`}`;
        return problem === '' ? unknown(observed) : fail(observed);
      }
      const drift = await findDrift(sys, renderConfig(transaction.config()));
      if (drift.length === 0) return pass(`all as in revision ${current}`);
      return fail(drift.map(({ path, difference }) => `${path} ${difference}`).join(', '));
    },
  };
}
