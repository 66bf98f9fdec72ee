import type { ValueSpec } from './options.ts';

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** spanMs reads how long something takes or lasts, "90s", "15m", "2h", "7d", in milliseconds; NaN for anything else. */
export function spanMs(text: string): number {
  const [, count, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  return count === undefined ? Number.NaN : Number(count) * (UNIT_MS[unit] ?? Number.NaN);
}

/** timeSpan is an option that takes such a time, within bounds in the same form. Its value is in milliseconds. */
export function timeSpan(
  bounds: { readonly min: string; readonly max: string; readonly fallback: string },
  help: string,
): ValueSpec<number> {
  const { min, max, fallback } = bounds;
  return {
    placeholder: 'TIME',
    help,
    shownDefault: fallback,
    read: (raw) => {
      if (typeof raw !== 'string') return spanMs(fallback);
      const ms = spanMs(raw);
      if (ms >= spanMs(min) && ms <= spanMs(max)) return ms;
      throw new RangeError(`"${raw}", expected a time from ${min} to ${max}, such as ${fallback}`);
    },
  };
}
