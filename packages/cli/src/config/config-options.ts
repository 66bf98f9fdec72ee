import { nodeOptions } from '../client/node-options.ts';
import { choice, flag, text, type ValueSpec } from '../framework/options.ts';

/** An option that takes a time span: "90s", "2m", "1h". Its value is in milliseconds. */
export function duration(
  bounds: {
    readonly minMs: number;
    readonly maxMs: number;
    readonly fallbackMs: number;
    readonly shown: string;
  },
  help: string,
): ValueSpec<number> {
  const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
  return {
    placeholder: 'TIME',
    help,
    shownDefault: bounds.shown,
    read: (raw) => {
      if (typeof raw !== 'string') return bounds.fallbackMs;
      const [, count = '', unit = ''] = /^(\d{1,5})([smh])$/.exec(raw) ?? [];
      const ms = Number(count) * (unitMs[unit] ?? Number.NaN);
      if (count !== '' && ms >= bounds.minMs && ms <= bounds.maxMs) return ms;
      throw new RangeError(`"${raw}", expected a time from 10s to 1h such as 90s or 2m`);
    },
  };
}

/** Options of every command that changes the machine config of a node. */
export const changeOptions = {
  mode: choice(['auto', 'staged', 'try'], 'How it takes effect; default: what the plan says'),
  confirmWithin: duration(
    { minMs: 10_000, maxMs: 3_600_000, fallbackMs: 120_000, shown: '2m' },
    'Time of a trial',
  ),
  reason: text('TEXT', 'Why, for the history'),
  noConfirm: flag('Leave the confirmation of a trial to "plinth config confirm"'),
  yes: flag('Do not ask'),
  context: nodeOptions.context,
  timeout: nodeOptions.timeout,
};
