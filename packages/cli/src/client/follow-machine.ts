import { setTimeout as sleep } from 'node:timers/promises';
import {
  type GetHealthResponse,
  type MachineAct,
  MachineActState,
  machineActKindName,
  type NodeClient,
} from '@plinth/api';
import { isErrorCode, PlinthError, type Progress } from '@plinth/base';
import { waitForHealth } from '../flows/wait-for-health.ts';
import { formatDuration } from '../output/units.ts';

export interface FollowMachineOptions {
  /** Name of the node, for messages. */
  readonly name: string;
  readonly node: Pick<NodeClient, 'getIdentity' | 'getHealth' | 'machine'>;
  readonly signal: AbortSignal;
  /** Bound on everything from now on. */
  readonly timeoutMs: number;
  readonly pollMs?: number;
}

/** How the end of a system went, seen from outside. */
export interface SeenReturn {
  /** From the last answer before to the first after it; at most one question too long. */
  readonly awayMs: number;
  /** From the first answer on until the node could do its work again. */
  readonly settledMs: number;
  readonly health: GetHealthResponse;
}

const POLL_MS = 1_000;

/**
 * followDrain waits until the pods are away and the system is about to end.
 * @throws the node's own reason when it gave up: machine/drain-failed and others; cli/interrupted, api/timeout
 */
export async function followDrain(options: FollowMachineOptions, progress: Progress): Promise<void> {
  await watch(options, async () => {
    const { act } = await options.node.machine.get();
    if (act?.failure) throw actError(options.name, act);
    progress.note(act?.note ?? '');
    return act?.state === MachineActState.DRAINING ? undefined : true;
  });
}

/**
 * followGone waits until a node does not answer any more. @throws the node's own reason when it gave up; cli/interrupted,
 * api/timeout
 */
export async function followGone(options: FollowMachineOptions): Promise<void> {
  await watch(options, async () => {
    try {
      const { act } = await options.node.machine.get();
      if (act?.failure) throw actError(options.name, act);
      return undefined;
    } catch (reason) {
      if (passes(reason)) return true;
      throw reason;
    }
  });
}

/**
 * followReturn follows a node through its reboot, until it is as healthy as it gets and takes pods again.
 * @param bootId of the boot that ends
 * @throws as followGone; api/identity-mismatch when the node comes back as another one
 */
export async function followReturn(
  options: FollowMachineOptions,
  bootId: string,
  progress: Progress,
): Promise<SeenReturn> {
  const { name, node } = options;
  let lastAnswerMs = performance.now();
  const backMs = await watch(options, async () => {
    try {
      const identity = await node.getIdentity();
      if (identity.bootId !== bootId) return performance.now();
      lastAnswerMs = performance.now();
      const { act } = await node.machine.get();
      if (act?.failure) throw actError(name, act);
      progress.note('the system ends');
    } catch (reason) {
      if (!passes(reason)) throw reason;
      progress.note(`away for ${formatDuration(performance.now() - lastAnswerMs)}`);
    }
    return undefined;
  });
  await followUncordon(options, progress);
  const leftMs = Math.max(1, options.timeoutMs - (performance.now() - backMs));
  const health = await waitForHealth(node, leftMs, options.signal, progress);
  return { awayMs: backMs - lastAnswerMs, settledMs: performance.now() - backMs, health };
}

/** followUncordon waits until a node that is back takes pods again, where it was drained. @throws as followGone */
export async function followUncordon(options: FollowMachineOptions, progress: Progress): Promise<void> {
  const { name, node } = options;
  await watch(options, async () => {
    try {
      const { act } = await node.machine.get();
      if (act?.failure) throw actError(name, act);
      if (act?.state !== MachineActState.RETURNING) return true;
      progress.note(act.note || 'the node waits to be healthy');
    } catch (reason) {
      if (!passes(reason)) throw reason;
    }
    return undefined;
  });
}

/** actError says why an act on a machine was given up, in the node's own words. */
export function actError(name: string, { kind, failure }: MachineAct): PlinthError {
  const code = failure && isErrorCode(failure.code) ? failure.code : 'machine/act-failed';
  const message = failure?.message || `Cannot ${machineActKindName(kind)} the node: it does not say why`;
  return new PlinthError(code, `${message} (node "${name}")`, {
    ...(failure?.hint && { hint: failure.hint }),
  });
}

/** passes tells of a node that ends, is away or comes back: it is asked again. */
export function passes(reason: unknown): boolean {
  return reason instanceof PlinthError && reason.retryable;
}

/** Looks again and again until there is something. */
async function watch<T>(
  { name, signal, timeoutMs, pollMs = POLL_MS }: FollowMachineOptions,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() >= deadlineMs)
      throw new PlinthError(
        'api/timeout',
        `Cannot follow node "${name}": it is not there after ${formatDuration(timeoutMs)}, expected it to be done`,
        { hint: 'The node goes on; look again with "plinth get machine", or at its console.' },
      );
    await sleep(pollMs, undefined, { signal }).catch(() => {
      throw new PlinthError('cli/interrupted', `Cannot follow node "${name}": interrupted; the node goes on`);
    });
  }
}
