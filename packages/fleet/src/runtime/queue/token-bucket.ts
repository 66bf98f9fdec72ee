/** How much may be done in a time. */
export interface TokenBucket {
  /** Takes one if there is one. @returns milliseconds to wait before it is worth asking again; 0: it was taken */
  take(): number;
}

/** openTokenBucket gives `perSecond` tokens a second and holds at most `burst` of them. @param nowMs may not go back: a monotonic clock */
export function openTokenBucket(perSecond: number, burst: number, nowMs: () => number): TokenBucket {
  let held = burst;
  let atMs = nowMs();
  return {
    take() {
      const now = nowMs();
      held = Math.min(burst, held + ((now - atMs) / 1000) * perSecond);
      atMs = now;
      if (held < 1) return Math.ceil(((1 - held) / perSecond) * 1000);
      held--;
      return 0;
    },
  };
}
