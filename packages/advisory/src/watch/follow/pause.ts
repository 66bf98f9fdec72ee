const FIRST_RETRY_MS = 30_000;
/** Mirrors are shared: not everybody at the same moment. */
const SPREAD = 0.1;

/**
 * pauseMs tells how long to wait before the next look; pure. Never longer than `everyMs`, which is what bounds how late news are
 * seen; after a failure sooner, and less and less so while it lasts.
 * @param failures looks in a row that failed
 * @param random from 0 up to 1
 */
export function pauseMs(everyMs: number, failures: number, random: number): number {
  const wholeMs = failures === 0 ? everyMs : Math.min(everyMs, FIRST_RETRY_MS * 2 ** (failures - 1));
  return wholeMs * (1 - SPREAD * random);
}
