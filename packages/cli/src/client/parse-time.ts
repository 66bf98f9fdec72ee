import { usageError } from '../framework/usage-error.ts';

/** A time as the API has it. */
export interface ApiTime {
  readonly seconds: bigint;
  readonly nanos: number;
}

const AGO = /^(\d{1,9})(s|m|h|d)$/;
const DATE = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?$/;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * parseTime reads a time that a person wrote: "90s", "15m", "2h", "3d" ago, or a date with or without a time, UTC unless
 * it names a zone. @throws cli/usage
 */
export function parseTime(text: string, option: string, nowMs: number): ApiTime {
  const [, count, unit = ''] = AGO.exec(text) ?? [];
  const ms = count === undefined ? parseDate(text) : nowMs - Number(count) * (UNIT_MS[unit] ?? 0);
  if (Number.isNaN(ms) || ms < 0)
    throw usageError(
      `value of ${option} is "${text}", expected "15m", "2h", "3d", or a time such as "2026-11-22 05:00"`,
    );
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: Math.floor(ms % 1000) * 1_000_000 };
}

function parseDate(text: string): number {
  if (!DATE.test(text)) return Number.NaN;
  const withTime = text.length > 10 ? text.replace(' ', 'T') : `${text}T00:00`;
  return Date.parse(/(?:Z|[+-]\d\d:\d\d)$/.test(withTime) ? withTime : `${withTime}Z`);
}
