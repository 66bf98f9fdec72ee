import { setTimeout as sleep } from 'node:timers/promises';
import {
  ApplyFirstConfigResponseSchema,
  connectNode,
  isFingerprint,
  messageData,
  type NodeTarget,
  nodeApiPort,
  seeFingerprint,
} from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { splitEndpoint } from '../client/connect-context.ts';
import { agree } from '../framework/consent.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { usageError } from '../framework/usage-error.ts';
import { nextCommands, plainText } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { readConfigFile } from './read-config.ts';
import { planText } from './show-plan.ts';

export interface FirstOptions {
  /** "192.0.2.7" or "192.0.2.7:7546". */
  readonly endpoint: string | undefined;
  /** What the console of the node shows; asked for on the terminal when it is absent. */
  readonly fingerprint: string | undefined;
  readonly reason: string | undefined;
  readonly yes: boolean;
  /** Seconds. */
  readonly timeout: number;
}

const API_WAIT_MS = 120_000;
const POLL_MS = 1_000;

/**
 * applyFirst gives a node in maintenance its first config. The node is held to the fingerprint that its console shows
 * before a byte of the config is sent; this client has nothing to show, for the node knows nobody yet.
 * @throws cli/usage, cli/declined, config/already-given, config/…, api/…
 */
export async function applyFirst(
  path: string,
  options: FirstOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const where = endpointOf(options);
  const config = await readConfigFile(path);
  const fingerprint = await chosenFingerprint(where, options.fingerprint, context);
  const target = { ...where, fingerprint };
  using node = connectNode(target);
  const hangUp = () => node.close();
  context.signal.addEventListener('abort', hangUp, { once: true });
  const found = await node.maintenance.get().catch((reason: unknown) => {
    throw refusedFirst(reason, where);
  });
  const { plan, nodeName } = await node.maintenance.plan({ config });
  if (!plan)
    throw new PlinthError('api/protocol', 'Cannot use the answer to PlanFirstConfig: plan is missing');
  context.say(`${planText(plan, context.style)}\n`);
  const version = printable(found.imageVersion || found.agentVersion);
  await agree(
    `Make ${where.address} (${version}) the node ${printable(nodeName)}? It takes no second one this way.`,
    options.yes,
    context,
  );
  const answer = await node.maintenance.apply({ config, reason: options.reason ?? '' });
  node.close();
  context.signal.removeEventListener('abort', hangUp);
  await context.progress.step(`Wait for the API of ${printable(answer.nodeName)}`, () =>
    waitUntilShut(target, context.signal),
  );
  const endpoint = endpointText(where);
  return {
    data: { ...(messageData(ApplyFirstConfigResponseSchema, answer) as object), endpoint, fingerprint },
    view: [
      plainText(
        `${context.style.good(`${printable(answer.nodeName)} has its config`)}: revision ${answer.revision}; from now on it answers only to whom ApiAccess names.`,
      ),
      nextCommands([
        [
          `plinth config add ${printable(answer.nodeName)} --endpoint ${endpoint} --fingerprint ${fingerprint} --certificate FILE --key FILE`,
          'let this client know it',
        ],
      ]),
    ],
  };
}

function endpointOf({ endpoint, timeout }: FirstOptions): Where {
  if (endpoint === undefined)
    throw usageError('--endpoint is missing, expected where the node in maintenance is');
  const bare = !/^(?:\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/.test(endpoint);
  const { address, port } = splitEndpoint(bare ? `${endpoint}:${nodeApiPort}` : endpoint);
  if (!/^[0-9A-Za-z.:-]+$/.test(address))
    throw usageError(`value of --endpoint is "${endpoint}", expected ADDRESS or ADDRESS:PORT`);
  return { address, port, timeoutMs: timeout * 1000 };
}

type Where = Pick<NodeTarget, 'address' | 'port' | 'timeoutMs'>;

function endpointText({ address, port }: Where): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The fingerprint a person read on the console, or sees there now; --yes does not stand for that look. */
async function chosenFingerprint(
  where: Where,
  given: string | undefined,
  { confirm, say }: Pick<CommandContext, 'confirm' | 'say'>,
): Promise<string> {
  if (given !== undefined) {
    if (isFingerprint(given)) return given;
    throw usageError(`value of --fingerprint is "${given}", expected "sha256:" and 64 hexadecimal digits`);
  }
  const seen = await seeFingerprint(where);
  say(`${endpointText(where)} shows the fingerprint\n  ${seen}`);
  const same = await confirm('Does the console of the node show the same?');
  if (same === undefined)
    throw usageError(
      'cannot have the fingerprint compared without a terminal',
      'Add --fingerprint with what the console of the node shows.',
    );
  if (!same)
    throw new PlinthError(
      'api/identity-mismatch',
      `Cannot trust ${endpointText(where)}: its fingerprint is not the one on the console of the node`,
    );
  return seen;
}

/** A node with a config refuses whoever has no certificate; one without a door does not listen. */
function refusedFirst(reason: unknown, where: Where): unknown {
  if (!(reason instanceof PlinthError)) return reason;
  if (reason.code !== 'api/forbidden' && reason.code !== 'api/unsupported') return reason;
  return new PlinthError(
    'config/already-given',
    `Cannot give ${endpointText(where)} its first config: it has one, expected a node in maintenance`,
    {
      cause: reason,
      hint: 'Change it with "plinth apply" without --insecure, as somebody its ApiAccess names.',
    },
  );
}

/** The API is up when the same node refuses whoever has no certificate. */
async function waitUntilShut(target: NodeTarget, signal: AbortSignal): Promise<void> {
  const endMs = performance.now() + API_WAIT_MS;
  for (;;) {
    using node = connectNode(target);
    const code = await node.maintenance.get().then(
      () => '',
      (reason: unknown) => {
        if (reason instanceof PlinthError && (reason.retryable || reason.code === 'api/forbidden'))
          return reason.code;
        throw reason;
      },
    );
    if (code === 'api/forbidden') return;
    if (performance.now() >= endMs)
      throw new PlinthError(
        'api/timeout',
        'Cannot see the API of the node: it does not answer after it got its config; expected it within 2 minutes',
        {
          hint: 'The config is stored. Look at the console: perhaps its network is not the one this client is in.',
        },
      );
    await sleep(POLL_MS, undefined, { signal }).catch(() => {
      throw new PlinthError('cli/interrupted', 'Cannot wait for the API: interrupted; the config is stored');
    });
  }
}
