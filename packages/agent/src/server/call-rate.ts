/** How many calls a client may make. */
export interface RateLimits {
  /** In the long run. */
  readonly perSecond: number;
  /** At once, after a pause. */
  readonly burst: number;
}

/** "again": refused, as another call of this second was already. */
export type RateVerdict = 'ok' | 'refused' | 'again';

interface Bucket {
  calls: number;
  filledAtMs: number;
  refusedAtMs: number;
}

const TOLD_EVERY_MS = 1_000;
const BUCKETS_LIMIT = 1_000;

/** openCallRate counts the calls of each client by a token bucket. Clients that have been quiet are forgotten. */
export function openCallRate(
  { perSecond, burst }: RateLimits,
  nowMs: () => number,
): (client: string) => RateVerdict {
  const buckets = new Map<string, Bucket>();
  const fill = (bucket: Bucket, now: number) => {
    const passedMs = Math.max(0, now - bucket.filledAtMs);
    bucket.calls = Math.min(burst, bucket.calls + (passedMs * perSecond) / 1000);
    bucket.filledAtMs = now;
  };
  return (client) => {
    const now = nowMs();
    if (buckets.size >= BUCKETS_LIMIT) {
      for (const [name, bucket] of buckets) {
        fill(bucket, now);
        if (bucket.calls >= burst) buckets.delete(name);
      }
    }
    const bucket = buckets.get(client) ?? {
      calls: burst,
      filledAtMs: now,
      refusedAtMs: Number.NEGATIVE_INFINITY,
    };
    buckets.set(client, bucket);
    fill(bucket, now);
    if (bucket.calls >= 1) {
      bucket.calls--;
      return 'ok';
    }
    const told = now - bucket.refusedAtMs < TOLD_EVERY_MS;
    if (!told) bucket.refusedAtMs = now;
    return told ? 'again' : 'refused';
  };
}
