import { collectSlots } from '../../reports/slots.ts';
import type { Sys } from '../../sys/sys.ts';
import { trialDeadline } from './trial-deadline.ts';

/**
 * letFirstBootWait takes the bound off a boot on trial when there is no proven version to go back to: a new machine may wait for its
 * config for days, and another start would not help it. Called before there is a config. Never throws; what cannot be read keeps the
 * bound.
 */
export async function letFirstBootWait(sys: Sys): Promise<void> {
  const { bootEntries } = await collectSlots(sys).catch(() => ({ bootEntries: [] }));
  const own = bootEntries.find(({ booted }) => booted);
  if (!own || own.state === 'good') return;
  if (bootEntries.some(({ booted, state }) => !booted && state === 'good')) return;
  await trialDeadline(sys).disarm();
}
