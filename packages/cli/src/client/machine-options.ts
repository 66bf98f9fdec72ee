import { flag, integer, text, type ValuesOf } from '../framework/options.ts';

/** Options of the commands that end a system. */
export const machineOptions = {
  reason: text('TEXT', 'Why; the node keeps it, and shows it after its next start'),
  override: text('NODE', "The node's name, typed by you, although something is in the way"),
  drain: flag('Move pods away first; the node takes pods again when it is back and healthy'),
  drainTimeout: integer('SECONDS', { min: 1, max: 3600, fallback: 300 }, 'How long pods may take'),
  force: flag('With --drain: also pods that no controller starts elsewhere'),
  wait: flag('Wait for the end of it, and say how long it took'),
  context: text('NAME', 'Which node; default: $PLINTH_CONTEXT, else the current context'),
  timeout: integer('SECONDS', { min: 10, max: 7200, fallback: 1800 }, 'How long to wait; the node goes on'),
} as const;

export type MachineOptions = ValuesOf<typeof machineOptions>;
