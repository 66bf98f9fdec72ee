import type { ValueSpec } from '../framework/options.ts';

// Listing the commands loads this file, so it does without the advisor, which is large.

/** The option of every command whose answer depends on the day. */
export const asOfOption: ValueSpec<string | undefined> = {
  placeholder: 'DATE',
  help: 'Answer as of a day: 2025-11-20',
  shownDefault: 'today',
  read: (raw) => {
    if (typeof raw !== 'string') return undefined;
    if (!isDay(raw)) throw new RangeError(`"${raw}", expected a day such as 2026-11-22`);
    return raw;
  },
};

/** The day an answer is for: the one asked for, else today in UTC. */
export function dayAsked(asOf: string | undefined): string {
  return asOf ?? new Date().toISOString().slice(0, 10);
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  // The 30th of February is read as a day of March.
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
