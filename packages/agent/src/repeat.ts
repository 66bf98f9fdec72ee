/** Waits; ends early when the signal aborts. */
export type Sleep = (durationMs: number, signal: AbortSignal) => Promise<void>;

export interface RepeatOptions {
  readonly signal: AbortSignal;
  readonly sleep?: Sleep;
  /** Pause after a round that worked. */
  readonly everyMs: number;
  /** Longest pause after rounds that failed; it doubles from `everyMs` on. */
  readonly atMostMs: number;
  /** Hears of the first failure in a row, and of the end of a row of failures (undefined). */
  readonly onFailure: (reason: unknown) => void;
}

/** repeat does a piece of work again and again until the signal aborts. It never throws and never runs twice at once. */
export async function repeat(work: () => Promise<void>, options: RepeatOptions): Promise<void> {
  const { signal, sleep = pause, everyMs, atMostMs, onFailure } = options;
  let failures = 0;
  while (!signal.aborted) {
    try {
      await work();
      if (failures > 0) onFailure(undefined);
      failures = 0;
    } catch (reason) {
      if (signal.aborted) return;
      if (failures === 0) onFailure(reason);
      failures++;
    }
    await sleep(Math.min(everyMs * 2 ** Math.min(failures, 20), Math.max(atMostMs, everyMs)), signal);
  }
}

/**
 * pause waits, or ends early when aborted.
 * @param keepsAlive whether the process must not end meanwhile: where nothing else keeps it
 */
export function pause(durationMs: number, signal: AbortSignal, keepsAlive = false): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, durationMs);
    if (!keepsAlive) timer.unref();
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
  });
}
