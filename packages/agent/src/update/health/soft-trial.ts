import { messageOf } from '@plinth/base';
import { planRollback, viewSlots } from '@plinth/updates';
import type { NodeConsole } from '../../console.ts';
import { parseKeyValues } from '../../kernel/key-values.ts';
import { SYSTEMCTL } from '../../reports/versions.ts';
import type { StateStore } from '../../sys/state-store.ts';
import type { Sys } from '../../sys/sys.ts';
import type { Stager, UpdateStore } from '../types.ts';
import type { ContractRecord } from './contract-record.ts';
import { keepSoftStart } from './failed-boots.ts';
import type { FallBackRecord } from './fall-back-record.ts';
import { withFallBack } from './find-fall-back.ts';
import { brokenBecause } from './judge-fall-back.ts';
import type { SoftTrial } from './run-contract.ts';

interface SoftTrialParts {
  readonly sys: Pick<Sys, 'run' | 'nowMs'>;
  readonly files: Pick<StateStore, 'write'>;
  readonly store: UpdateStore;
  readonly stager: Pick<Stager, 'readSlotDisk' | 'changeEntries'>;
  readonly console: NodeConsole;
  /** Of the kernel. */
  readonly bootId: string;
  readonly upMs: () => Promise<number>;
  /** Hears of what was found, for the records. */
  onFound(record: FallBackRecord): void;
}

/** softTrial is what a trial after a soft-reboot does otherwise than one after a boot. */
export function softTrial(parts: SoftTrialParts): SoftTrial {
  const { sys, files, store, stager, console, bootId, upMs, onFound } = parts;

  async function beganUpMs(): Promise<number> {
    const property = 'UserspaceTimestampMonotonic';
    const { stdout } = await sys
      .run(SYSTEMCTL, ['show', '--no-pager', `--property=${property}`])
      .catch(() => ({ stdout: '' }));
    const microseconds = Number(parseKeyValues(stdout).get(property) || Number.NaN);
    return Number.isFinite(microseconds) ? Math.round(microseconds / 1000) : upMs();
  }

  /** The disk last: what is remembered without it is only said too early, and the reboot follows at once. */
  async function leave(record: ContractRecord): Promise<void> {
    const { version, checks } = record;
    const to = viewSlots(await stager.readSlotDisk()).rollback?.version ?? '';
    const nowMs = sys.nowMs();
    const beganAtMs = nowMs - ((await upMs()) - (record.beganUpMs ?? 0));
    const fallBack: FallBackRecord = {
      ...{ from: version, to, foundAtMs: nowMs, bootId, tries: 0 },
      ...{ code: 'update/contract-broken', reason: brokenBecause(record) },
      boots: [...(await keepSoftStart({ sys, store: files }, { version, bootId, beganAtMs, nowMs }))],
      checks: checks.filter(({ verdict }) => verdict !== 'pass'),
    };
    await store
      .change((now) => withFallBack(now, fallBack))
      .catch((reason: unknown) =>
        console.say(`update: the fall-back cannot be stored: ${messageOf(reason)}`),
      );
    onFound(fallBack);
    await stager.changeEntries(planRollback);
    console.say(`update: version ${version} is left for ${to}: ${fallBack.reason} [${fallBack.code}]`);
  }

  return { beganUpMs, leave };
}
