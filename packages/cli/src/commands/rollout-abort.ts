import { clusterOptions } from '../fleet/cluster-options.ts';
import { defineCommand } from '../framework/command.ts';
import { consentOption } from '../framework/consent.ts';
import { flag, required } from '../framework/options.ts';

export const rolloutAbortCommand = defineCommand({
  path: ['rollout', 'abort'],
  summary: 'End a rollout: nodes stay as they are, or go back',
  details: ['An abort is not taken back: another release of the policy begins anew.'],
  examples: [
    { run: 'plinth rollout abort workers', what: 'updated nodes stay updated' },
    { run: 'plinth rollout abort workers --rollback', what: 'they go back, inside the bounds' },
  ],
  options: {
    rollback: flag('Bring updated nodes back to the version before'),
    yes: consentOption,
    ...clusterOptions,
  },
  args: { name: required('NAME', 'A rollout, or a policy with one under way') },
  run: async ({ args, options: { rollback, ...options } }, context) => {
    const { changeRollout } = await import('../fleet/change-rollout.ts');
    const { abortWith } = await import('../fleet/rollout-changes.ts');
    return changeRollout(args.name, abortWith(rollback), options, context);
  },
});
