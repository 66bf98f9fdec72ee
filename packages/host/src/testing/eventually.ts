import { setTimeout as sleep } from 'node:timers/promises';

/** How long something is waited for. */
export interface Patience {
  /** Default: two minutes, more than anything on one machine takes when it is starved; longer only for what boots. */
  readonly patienceMs?: number;
  readonly everyMs?: number;
  /** Whether there is nothing to wait for any more, as when a program has ended. */
  readonly isHopeless?: () => boolean;
}

/**
 * eventually looks again until `look` neither throws nor gives false, and gives what it gave. Throws what it threw last.
 * For what happens at its own time: a test that sleeps instead fails on a slow machine, or is slow on every other.
 */
export async function eventually<T>(
  look: () => T | false | Promise<T | false>,
  { patienceMs = 120_000, everyMs = 10, isHopeless = () => false }: Patience = {},
): Promise<Awaited<T>> {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    // Asked before the look: the last one comes after the time, however long this process stood still.
    const isLast = performance.now() >= deadlineMs || isHopeless();
    try {
      const seen = await look();
      if (seen === false) throw new Error(`still not so: ${look}`);
      return seen;
    } catch (reason) {
      if (isLast) throw reason;
    }
    await sleep(everyMs);
  }
}

/** atRest reads a number until it has stood still for half a second of looks; gives it. */
export function atRest(read: () => number): Promise<number> {
  let before = Number.NaN;
  let quiet = 0;
  return eventually(
    () => {
      const now = read();
      quiet = now === before ? quiet + 1 : 0;
      before = now;
      if (quiet < 10) throw new Error(`it goes on, now at ${now}`);
      return now;
    },
    { everyMs: 50 },
  );
}
