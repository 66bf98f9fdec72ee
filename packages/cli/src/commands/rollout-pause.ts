import { clusterOptions } from '../fleet/cluster-options.ts';
import { defineCommand } from '../framework/command.ts';
import { required } from '../framework/options.ts';

export const rolloutPauseCommand = defineCommand({
  path: ['rollout', 'pause'],
  summary: 'Begin with no further node; nodes under way finish',
  examples: [
    { run: 'plinth rollout pause workers', what: 'that of policy "workers"' },
    { run: 'plinth rollout pause workers-1.9.0', what: 'this one' },
  ],
  options: clusterOptions,
  args: { name: required('NAME', 'A rollout, or a policy with one under way') },
  run: async ({ args, options }, context) => {
    const { changeRollout } = await import('../fleet/change-rollout.ts');
    const { pause } = await import('../fleet/rollout-changes.ts');
    return changeRollout(args.name, pause, options, context);
  },
});
