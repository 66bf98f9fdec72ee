/** Time from `startMs` up to, not including, `endMs`. */
export interface Interval {
  readonly startMs: number;
  readonly endMs: number;
}

/** The same time as intervals that neither touch nor overlap, in order. */
export function mergeIntervals(intervals: readonly Interval[]): Interval[] {
  const merged: { startMs: number; endMs: number }[] = [];
  for (const { startMs, endMs } of intervals.toSorted((a, b) => a.startMs - b.startMs)) {
    if (endMs <= startMs) continue;
    const last = merged.at(-1);
    if (last !== undefined && startMs <= last.endMs) last.endMs = Math.max(last.endMs, endMs);
    else merged.push({ startMs, endMs });
  }
  return merged;
}

/** What of `open` lies in none of `closed`. */
export function subtractIntervals(open: readonly Interval[], closed: readonly Interval[]): Interval[] {
  const left: Interval[] = [];
  const holes = mergeIntervals(closed);
  let first = 0;
  for (const { startMs, endMs } of mergeIntervals(open)) {
    let fromMs = startMs;
    while (first < holes.length && (holes[first]?.endMs ?? 0) <= startMs) first += 1;
    for (let index = first; index < holes.length; index += 1) {
      const hole = holes[index];
      if (hole === undefined || hole.startMs >= endMs) break;
      if (hole.startMs > fromMs) left.push({ startMs: fromMs, endMs: hole.startMs });
      fromMs = Math.max(fromMs, hole.endMs);
    }
    if (fromMs < endMs) left.push({ startMs: fromMs, endMs });
  }
  return left;
}
