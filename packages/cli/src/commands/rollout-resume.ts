import { clusterOptions } from '../fleet/cluster-options.ts';
import { defineCommand } from '../framework/command.ts';
import { required } from '../framework/options.ts';

export const rolloutResumeCommand = defineCommand({
  path: ['rollout', 'resume'],
  summary: 'Go on with a rollout that was paused',
  examples: [
    { run: 'plinth rollout resume workers', what: 'that of policy "workers"' },
    { run: 'plinth rollout resume workers-1.9.0', what: 'this one' },
  ],
  options: clusterOptions,
  args: { name: required('NAME', 'A rollout, or a policy with one under way') },
  run: async ({ args, options }, context) => {
    const { changeRollout } = await import('../fleet/change-rollout.ts');
    const { resume } = await import('../fleet/rollout-changes.ts');
    return changeRollout(args.name, resume, options, context);
  },
});
