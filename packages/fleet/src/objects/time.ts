const UNITS_MS = { h: 3_600_000, m: 60_000, s: 1000 } as const;

/** durationMs reads a duration as Kubernetes writes it ("1h30m", see `duration`); "" is none at all. */
export function durationMs(text: string): number {
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/([0-9]+)([hms])/g))
    sum += Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS];
  return sum;
}

/** momentMs is a moment as milliseconds since 1970; NaN where it is none, so no comparison with it holds. */
export function momentMs(text: string): number {
  return Date.parse(text);
}

/** momentOf writes a moment for an object. */
export function momentOf(ms: number): string {
  return new Date(ms).toISOString();
}
