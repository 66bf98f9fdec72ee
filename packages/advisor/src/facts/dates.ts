import { z } from 'zod';

const DAY_MS = 86_400_000;

/** A calendar day as "2026-11-22": what facts are dated with, and what an answer is computed for. */
export const isoDate = z
  .string()
  .refine((text) => isDate(text), { error: 'it is no day of the calendar, expected the form 2026-11-22' });

/** isDate tells a day of the calendar from any other text; 2026-02-30 is none. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

/** dayOf is the day in UTC of a moment. */
export function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

/** daysBetween counts days from one day to another; negative when `to` is earlier. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS);
}
