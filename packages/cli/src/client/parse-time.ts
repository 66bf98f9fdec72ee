import { spanMs } from '../framework/time-span.ts';
import { usageError } from '../framework/usage-error.ts';

/** A time as the API has it. */
export interface ApiTime {
  readonly seconds: bigint;
  readonly nanos: number;
}

const DATE = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?$/;

/**
 * parseTime reads a time that a person wrote: "90s", "15m", "2h", "3d" ago, or a date with or without a time, UTC unless
 * it names a zone. @throws cli/usage
 */
export function parseTime(text: string, option: string, nowMs: number): ApiTime {
  const agoMs = spanMs(text);
  const ms = Number.isNaN(agoMs) ? parseDate(text) : nowMs - agoMs;
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
