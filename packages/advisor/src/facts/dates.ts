import { z } from 'zod';

const DAY_MS = 86_400_000;

/** A calendar day as "2026-11-22": what facts are dated with, and what an answer is computed for; 2026-02-30 is none. */
export const isoDate = z.iso.date({ error: 'it is no day of the calendar, expected the form 2026-11-22' });

/** daysBetween counts days from one day to another; negative when `to` is earlier. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS);
}
