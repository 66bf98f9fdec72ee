import { consentOption } from '../framework/consent.ts';
import { flag, integer, text, type ValuesOf } from '../framework/options.ts';
import { nodeOptions } from './node-options.ts';

/** Options of the commands that end a system. */
export const machineOptions = {
  reason: text('TEXT', 'Why; shown after its next start'),
  override: text('NODE', 'Its name, typed by you, whatever is in the way'),
  drain: flag('Pods go first; it takes pods again when healthy'),
  drainTimeout: integer('SECONDS', { min: 1, max: 3600, fallback: 300 }, 'How long pods may take'),
  force: flag('With --drain: also pods that nothing starts anew'),
  wait: flag('Wait for the end, and say how long it took'),
  yes: consentOption,
  context: nodeOptions.context,
  timeout: integer('SECONDS', { min: 10, max: 7200, fallback: 1800 }, 'How long to wait'),
} as const;

export type MachineOptions = ValuesOf<typeof machineOptions>;
