import { setTimeout as sleep } from 'node:timers/promises';
import { PlinthError } from '@plinth/base';

export interface Patience {
  /** How long the whole may take. */
  readonly withinMs: number;
  /** Pause between two tries. */
  readonly pollMs: number;
  readonly signal: AbortSignal;
}

/** What passes by itself: a control plane that is being restarted, or a machine that is busy. */
const PASSING: readonly string[] = ['kubernetes/api-unreachable', 'kubernetes/api-server-silent'];

/**
 * patiently asks again as long as the cluster does not answer: in the middle of an act its API servers come and go.
 * Any other failure, and the last silence, is the caller's. @throws what `ask` throws
 */
export async function patiently<T>(
  ask: () => Promise<T>,
  { withinMs, pollMs, signal }: Patience,
): Promise<T> {
  const startedMs = performance.now();
  for (;;) {
    try {
      return await ask();
    } catch (reason) {
      const passes = reason instanceof PlinthError && PASSING.includes(reason.code);
      if (!passes || performance.now() - startedMs > withinMs) throw reason;
      await sleep(pollMs, undefined, { signal });
    }
  }
}

/**
 * insist tries a way back several times: each try begins where the last one came to, and to be left in the middle is
 * worse than to be late. @throws what the last try threw
 */
export async function insist(
  attempts: number,
  work: () => Promise<void>,
  { pollMs, signal }: Pick<Patience, 'pollMs' | 'signal'>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (reason) {
      if (attempt === attempts || signal.aborted) throw reason;
      await sleep(pollMs, undefined, { signal });
    }
  }
}
