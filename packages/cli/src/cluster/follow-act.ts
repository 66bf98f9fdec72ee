import { setTimeout as sleep } from 'node:timers/promises';
import { type Act, type ActKind, ActState, actKindName, type GetKubernetesResponse } from '@plinth/api';
import { isErrorCode, PlinthError, type Progress } from '@plinth/base';
import { durationMs } from '../client/duration.ts';
import { formatDuration } from '../output/units.ts';

export interface FollowOptions {
  /** Name of the node, for messages. */
  readonly name: string;
  /** GetKubernetes of the node. */
  readonly get: () => Promise<GetKubernetesResponse>;
  readonly signal: AbortSignal;
  /** Bound on the whole act. */
  readonly timeoutMs: number;
  /** How often the node is asked. */
  readonly pollMs?: number;
}

const POLL_MS = 500;

/**
 * followAct shows the steps of a node's act as steps of its own until the act ends. The act does not need us: after
 * Ctrl-C it goes on, and following it again shows the rest. A node that is silent for a while is asked again.
 * @throws the node's own reason as cluster/act-failed or its code; cluster/act-timeout, cli/interrupted, api/…
 */
export async function followAct(kind: ActKind, progress: Progress, options: FollowOptions): Promise<void> {
  const deadlineMs = performance.now() + options.timeoutMs;
  const look = async (line: Progress): Promise<Act> => {
    for (;;) {
      const act = await ask(options, line);
      if (act?.kind === kind) return act;
      await pause(kind, options, deadlineMs);
    }
  };
  let act = await look(progress);
  const ended = async (line: Progress) => {
    while (act.state === ActState.RUNNING) {
      await pause(kind, options, deadlineMs);
      act = await look(line);
    }
  };
  for (let index = 0; index < act.steps.length; index++) {
    const first = act.steps[index];
    if (!first) break;
    if (first.state === ActState.UNSPECIFIED && act.state !== ActState.RUNNING) continue;
    const took = first.state === ActState.DONE ? ` (took ${formatDuration(durationMs(first.duration))})` : '';
    await progress.step(`${first.title}${took}`, async (line) => {
      while (isOpen(act, index)) {
        line.note(act.steps[index]?.note ?? '');
        await pause(kind, options, deadlineMs);
        act = await look(line);
      }
      if (act.steps[index]?.state !== ActState.FAILED) return;
      // Only at its end does the act know whether the way back led anywhere.
      line.note('failed; the node takes back what was done');
      await ended(line);
      throw actError(options.name, act);
    });
  }
  await ended(progress);
  if (act.state !== ActState.DONE) throw actError(options.name, act);
}

/** actError says why an act did not come to its end, in the node's own words. */
export function actError(name: string, act: Act): PlinthError {
  const failed = act.steps.find(({ state }) => state === ActState.FAILED);
  const known = act.failure && isErrorCode(act.failure.code) ? act.failure.code : 'cluster/act-failed';
  const reason = act.failure?.message || 'the node does not say why';
  const back = act.state === ActState.REVERTED ? '; what was done has been taken back' : '';
  return new PlinthError(
    known,
    `Cannot ${actKindName(act.kind)} node "${name}": ${failed ? `${failed.title}: ` : ''}${reason}${back}`,
    {
      ...(act.failure?.hint && { hint: act.failure.hint }),
      ...(act.failure && { details: { node: name, nodeCode: act.failure.code } }),
    },
  );
}

function isOpen(act: Act, index: number): boolean {
  const state = act.steps[index]?.state;
  if (act.state !== ActState.RUNNING) return false;
  return state === ActState.RUNNING || state === ActState.UNSPECIFIED;
}

async function ask(options: FollowOptions, line: Progress): Promise<Act | undefined> {
  try {
    return (await options.get()).act;
  } catch (reason) {
    if (!(reason instanceof PlinthError && reason.retryable)) throw reason;
    line.note('the node does not answer');
    return undefined;
  }
}

async function pause(
  kind: ActKind,
  { name, signal, pollMs = POLL_MS }: FollowOptions,
  deadlineMs: number,
): Promise<void> {
  if (performance.now() >= deadlineMs) {
    throw new PlinthError(
      'cluster/act-timeout',
      `Cannot ${actKindName(kind)} node "${name}": it is still at it, expected it to be done`,
      { retryable: true },
    );
  }
  await sleep(pollMs, undefined, { signal }).catch(() => {
    throw new PlinthError('cli/interrupted', `Cannot follow node "${name}": interrupted`);
  });
}
