import { quantity } from './quantity.ts';

const spans = quantity({ s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }, 'TIME', 'a time');

/** spanMs reads how long something takes or lasts, "90s", "15m", "2h", "7d", in milliseconds; NaN for anything else. */
export const spanMs = spans.read;

/** timeSpan is an option that takes such a time. Its value is in milliseconds. */
export const timeSpan = spans.option;
