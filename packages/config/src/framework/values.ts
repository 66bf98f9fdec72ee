import { z } from 'zod';

const AGE_LIMIT_SECONDS = 365 * 24 * 3600;

/** A length of time in one unit, as Kubernetes writes it: "90s", "5m", "24h". */
export function duration(least: string, most: string) {
  const [low = 0, high = AGE_LIMIT_SECONDS] = [least, most].map(secondsOf);
  return z
    .string()
    .max(16)
    .superRefine((text, context) => {
      const seconds = secondsOf(text);
      if (seconds === undefined)
        context.addIssue({ code: 'custom', message: 'expected a length of time: 90s, 5m, 24h' });
      else if (seconds < low || seconds > high)
        context.addIssue({ code: 'custom', message: `expected ${least} to ${most}` });
    });
}

/** secondsOf reads a length of time; undefined when it is none. */
export function secondsOf(text: string): number | undefined {
  const [, count, unit = ''] = /^(0|[1-9][0-9]{0,8})([smh])$/.exec(text) ?? [];
  const factor = { s: 1, m: 60, h: 3600 }[unit];
  return count === undefined || factor === undefined ? undefined : Number(count) * factor;
}

const BYTES = /^([1-9][0-9]{0,8})(Ki|Mi|Gi|Ti)$/;

/** Bytes with a binary unit: "512Mi", "2Gi". */
export const bytes = z.string().regex(BYTES, 'expected bytes with a binary unit: 512Mi, 2Gi');

/** bytesOf reads an amount of bytes; undefined when it is none. */
export function bytesOf(text: string): number | undefined {
  const [, count, unit = ''] = BYTES.exec(text) ?? [];
  const factor = { Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3, Ti: 1024 ** 4 }[unit];
  return count === undefined || factor === undefined ? undefined : Number(count) * factor;
}

/** Processors or thousandths of one: "1", "250m". */
export const processors = z
  .string()
  .regex(/^[1-9][0-9]{0,5}m?$/, 'expected processors, or thousandths of one: 1, 250m');

const PERCENT = /^([0-9]|[1-9][0-9])(\.[0-9]{1,2})?%$/;

/** What has to be free: bytes, or a part of all. */
export const amount = z
  .string()
  .max(16)
  .refine(
    (text) => (PERCENT.test(text) && !/^0(\.0+)?%$/.test(text)) || bytes.safeParse(text).success,
    'expected bytes or a part: 200Mi, 10%',
  );
