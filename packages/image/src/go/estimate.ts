import type { GoComponent } from './go-component.ts';

/**
 * estimateSeconds tells how long a compilation from cold caches takes. Compiling uses all cores, linking hardly more
 * than one. A faster core needs less; the estimate is meant to be kept, not to please.
 */
export function estimateSeconds({ compile, link }: GoComponent['cpuSeconds'], cores: number): number {
  return compile / Math.max(1, cores) + link;
}

/**
 * remainingSeconds corrects an estimate by what has been done so far: after the first tenth the speed of this machine
 * counts, before it the table.
 * @param doneShare 0 to 1
 */
export function remainingSeconds(estimate: number, doneShare: number, elapsedSeconds: number): number {
  const share = Math.min(1, Math.max(0, doneShare));
  if (share < 0.1) return Math.max(0, estimate - elapsedSeconds);
  return (elapsedSeconds / share) * (1 - share);
}

/** describeSeconds says a duration as people do: "40 s", "9 min". */
export function describeSeconds(seconds: number): string {
  return seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
}
