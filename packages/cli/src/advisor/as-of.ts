import { dayOf, isDate } from '@plinth/advisor';
import type { ValueSpec } from '../framework/options.ts';

/** The option of every command whose answer depends on the day. */
export const asOfOption: ValueSpec<string | undefined> = {
  placeholder: 'DATE',
  help: 'Answer as of a day: 2025-11-20',
  shownDefault: 'today',
  read: (raw) => {
    if (typeof raw !== 'string') return undefined;
    if (!isDate(raw)) throw new RangeError(`"${raw}", expected a day such as 2026-11-22`);
    return raw;
  },
};

/** The day an answer is for: the one asked for, else today in UTC. */
export function dayAsked(asOf: string | undefined): string {
  return asOf ?? dayOf(Date.now());
}
