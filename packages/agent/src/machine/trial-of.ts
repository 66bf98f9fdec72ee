import type { ConfigState } from '../config/transaction/state.ts';

/**
 * trialOf names the trial of a config that a person has yet to confirm; undefined when there is none. The end of the
 * system would take the config back. One that proves itself by health may go on in another boot, and may even need it.
 */
export function trialOf({ trial }: Pick<ConfigState, 'trial'>): string | undefined {
  return trial?.until === 'confirmed' ? `the trial of config revision ${trial.revision}` : undefined;
}
