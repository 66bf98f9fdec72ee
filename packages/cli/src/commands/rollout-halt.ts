import { clusterOptions } from '../fleet/cluster-options.ts';
import { defineCommand } from '../framework/command.ts';
import { required, text } from '../framework/options.ts';
import { usageError } from '../framework/usage-error.ts';

export const rolloutHaltCommand = defineCommand({
  path: ['rollout', 'halt'],
  summary: 'Halt a rollout for a reason, until somebody promotes it',
  details: ['Lifting a halt takes a right of its own; a pause does not.'],
  examples: [
    { run: 'plinth rollout halt workers --reason "pods crash on n7"', what: 'say why' },
    { run: 'plinth rollout halt w-1.9.0 --reason ticket-42', what: 'this one' },
  ],
  options: { reason: text('TEXT', 'Why, for whoever comes next'), ...clusterOptions },
  args: { name: required('NAME', 'A rollout, or a policy with one under way') },
  run: async ({ args, options: { reason, ...options } }, context) => {
    if (!reason) throw usageError('--reason is missing, expected why the rollout is halted');
    const { changeRollout } = await import('../fleet/change-rollout.ts');
    const { haltFor } = await import('../fleet/rollout-changes.ts');
    return changeRollout(args.name, haltFor(reason), options, context);
  },
});
