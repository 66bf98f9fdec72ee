import { usageError } from '../framework/usage-error.ts';

const SECONDS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 24 * 3600 };
const MOST_SECONDS = 90 * 24 * 3600;

/** parseTtl reads how long something shall be valid, "30m", "12h", "7d", in seconds. @throws cli/usage */
export function parseTtl(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,5})(m|h|d)$/.exec(text) ?? [];
  const seconds = Number(count) * (SECONDS[unit] ?? 0);
  if (seconds > 0 && seconds <= MOST_SECONDS) return seconds;
  throw usageError(`value of --ttl is "${text}", expected "30m", "12h", "7d", at most 90 days`);
}
