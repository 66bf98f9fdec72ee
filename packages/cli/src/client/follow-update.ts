import { setTimeout as sleep } from 'node:timers/promises';
import {
  BootState,
  type Check,
  type Failure,
  type GetUpdateResponse,
  HealthContractState,
  type NodeClient,
  UpdatePhase,
  type UpdateStage,
  updatePhaseName,
  Verdict,
} from '@plinth/api';
import { PlinthError, type Progress } from '@plinth/base';
import { formatBytes, formatDuration } from '../output/units.ts';
import { durationMs } from './duration.ts';
import { actError, type FollowMachineOptions, passes } from './follow-machine.ts';

export interface FollowUpdateOptions extends FollowMachineOptions {
  readonly node: FollowMachineOptions['node'] & Pick<NodeClient, 'update'>;
}

/** How a version came to be kept, seen from outside. */
export interface SeenTrial {
  /** From the last answer before the reboot to the first after it. */
  readonly awayMs: number;
  /** From the first answer on until the version was kept. */
  readonly settledMs: number;
  readonly checks: readonly Check[];
}

const POLL_MS = 1_000;

/**
 * followStage stages a version and shows how far it is. The node goes on without its reader: a connection that breaks is made
 * again and attached to the same staging.
 * @throws the node's own reason; cli/interrupted, api/timeout
 */
export async function followStage(
  options: FollowUpdateOptions,
  version: string,
  progress: Progress,
): Promise<UpdateStage> {
  const { node, name, signal, pollMs = POLL_MS } = options;
  const deadlineMs = performance.now() + options.timeoutMs;
  let wanted = version;
  for (;;) {
    try {
      for await (const stage of untilAborted(node.update.stage(wanted), signal)) {
        // Attached again after a break it must be the same version, whatever the channel offers by then.
        if (stage.version !== '') wanted = stage.version;
        progress.note(stageNote(stage));
        if (stage.phase === UpdatePhase.STAGED) return stage;
        if (performance.now() > deadlineMs) throw late(name, options.timeoutMs);
      }
      throw new PlinthError('api/failed', `Cannot stage on node "${name}": its answer ended too early`, {
        retryable: true,
      });
    } catch (reason) {
      if (signal.aborted) throw interrupted(name);
      if (!(passes(reason) && performance.now() < deadlineMs)) throw reason;
    }
    await pause(pollMs, name, signal);
  }
}

/**
 * followTrial follows a node from the end of its system until it has kept the version, or has gone back to another one.
 * @param from the boot that ends
 * @throws update/fell-back and the node's own reason, cli/interrupted, api/timeout
 */
export async function followTrial(
  options: FollowUpdateOptions,
  version: string,
  from: { readonly bootId: string },
  progress: Progress,
): Promise<SeenTrial> {
  const { name, node, signal, timeoutMs, pollMs = POLL_MS } = options;
  const deadlineMs = performance.now() + timeoutMs;
  let lastAnswerMs = performance.now();
  let backMs: number | undefined;
  for (;;) {
    try {
      const { bootId } = await node.getIdentity();
      const update = await node.update.get();
      if (bootId === from.bootId) {
        lastAnswerMs = performance.now();
        await throwGivenUp(options);
        progress.note('the system ends');
      } else {
        backMs ??= performance.now();
        const kept = judgeTrial(update, version, name);
        const awayMs = backMs - lastAnswerMs;
        if (kept) return { awayMs, settledMs: performance.now() - backMs, checks: kept };
        progress.note(trialNote(update));
      }
    } catch (reason) {
      if (!passes(reason)) throw signal.aborted ? interrupted(name) : reason;
      progress.note(`away for ${formatDuration(performance.now() - lastAnswerMs)}`);
    }
    if (performance.now() >= deadlineMs) throw late(name, timeoutMs);
    await pause(pollMs, name, signal);
  }
}

/**
 * judgeTrial tells whether a version was kept, by what a node says of itself in a later boot: its checks when it was,
 * undefined while nobody can tell. Pure. @throws update/fell-back, machine/act-failed when power went before it was activated
 */
export function judgeTrial(
  { booted, staged, contract, lastFallBack, blocked }: GetUpdateResponse,
  version: string,
  name: string,
): readonly Check[] | undefined {
  if (booted?.version === version) {
    const own = contract?.version === version ? contract : undefined;
    if (own?.state === HealthContractState.HELD) return own.checks;
    // Proven before: there is nothing to wait for.
    if (!own || own.state === HealthContractState.NOT_ON_TRIAL) return [];
    return undefined;
  }
  const reason =
    lastFallBack?.fromVersion === version
      ? lastFallBack.reason
      : blocked.find((each) => each.version === version)?.reason;
  if (!reason && staged?.version === version && staged.state === BootState.UNSPECIFIED)
    throw new PlinthError(
      'machine/act-failed',
      `Cannot bring node "${name}" to ${version}: it started again before that was activated; it is still staged`,
      { hint: 'Run the same command again.' },
    );
  const why = reason ? `: ${reason.message}` : '';
  throw new PlinthError(
    'update/fell-back',
    `Cannot keep version ${version} on node "${name}": it runs ${booted?.version || 'another one'}${why}`,
    { hint: reason?.hint || 'Read the journal of the failed boot with "plinth get update --journal".' },
  );
}

/** failureText is one failure of the node in one line. */
export function failureText({ code, message }: Pick<Failure, 'code' | 'message'>): string {
  return code === '' ? message : `${message} [${code}]`;
}

function stageNote({ phase, doneBytes, totalBytes, fetchedBytes, copiedBytes, note }: UpdateStage): string {
  if (phase !== UpdatePhase.DOWNLOADING && phase !== UpdatePhase.VERIFYING)
    return note || updatePhaseName(phase);
  const share = totalBytes > 0n ? ` ${(doneBytes * 100n) / totalBytes} %` : '';
  const came = `${formatBytes(Number(fetchedBytes))} fetched, ${formatBytes(Number(copiedBytes))} copied`;
  return `${updatePhaseName(phase)}${share}, ${came}`;
}

function trialNote({ phase, contract }: GetUpdateResponse): string {
  const open = (contract?.checks ?? []).filter(({ verdict }) => verdict !== Verdict.PASS).map(({ id }) => id);
  const left =
    contract?.deadline && contract.state === HealthContractState.RUNNING
      ? ` of ${formatDuration(durationMs(contract.deadline))}`
      : '';
  return `${updatePhaseName(phase)}${left}${open.length > 0 ? `: ${open.join(', ')}` : ''}`;
}

/** A reboot that was given up is said by the act on the machine. */
async function throwGivenUp({ name, node }: FollowUpdateOptions): Promise<void> {
  const { act } = await node.machine.get();
  if (act?.failure) throw actError(name, act);
}

/** Hangs up when the signal aborts: the stream of a node that stages says nothing for long. */
async function* untilAborted<T>(stream: AsyncGenerator<T>, signal: AbortSignal): AsyncGenerator<T> {
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  for (;;) {
    const next = await Promise.race([stream.next(), aborted]);
    if (next === undefined) {
      // Not waited for: it ends when the connection does.
      void stream.return(undefined).catch(() => {});
      throw new Error('aborted');
    }
    if (next.done) return;
    yield next.value;
  }
}

function late(name: string, timeoutMs: number): PlinthError {
  return new PlinthError(
    'api/timeout',
    `Cannot follow node "${name}": it is not done after ${formatDuration(timeoutMs)}, expected it to be`,
    { hint: 'The node goes on; look again with "plinth get update".' },
  );
}

function interrupted(name: string): PlinthError {
  return new PlinthError('cli/interrupted', `Cannot follow node "${name}": interrupted; the node goes on`, {
    hint: 'Run the same command again to follow it, or look with "plinth get update".',
  });
}

async function pause(ms: number, name: string, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {
    throw interrupted(name);
  });
}
