import { pause } from '../../repeat.ts';

/** Waits so that what passes stays below a rate. */
export interface RateLimit {
  /** Counts bytes that have come and waits until as much time has passed as they may take. */
  passed(bytes: number, signal: AbortSignal): Promise<void>;
}

/** How much may come at once after a time in which less came. */
const BURST_MS = 250;

/**
 * openRateLimit slows reading down, which slows the sender down by TCP's own means.
 * @param bytesPerSecond undefined: no limit
 * @param nowMs a clock that is not set
 */
export function openRateLimit(
  bytesPerSecond: number | undefined,
  nowMs: () => number = () => performance.now(),
): RateLimit {
  if (bytesPerSecond === undefined) return { passed: async () => {} };
  /** When everything so far is paid for. */
  let paidAtMs = 0;
  return {
    async passed(bytes, signal) {
      paidAtMs = Math.max(paidAtMs, nowMs() - BURST_MS) + (bytes / bytesPerSecond) * 1000;
      const waitMs = paidAtMs - nowMs();
      if (waitMs > 0) await pause(waitMs, signal, true);
    },
  };
}
