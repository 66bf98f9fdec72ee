import { clusterOptions } from '../fleet/cluster-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, required, text } from '../framework/options.ts';

export const rolloutPlanCommand = defineCommand({
  path: ['rollout', 'plan'],
  summary: 'Show order, waves, bounds and end of a rollout before it moves',
  details: ['By the functions of the operator, on what the cluster is now; writes nothing.'],
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth rollout plan workers', what: 'for the release the policy names' },
    { run: 'plinth rollout plan workers --release r2', what: 'as if it named that one' },
  ],
  options: {
    release: text('NAME', 'PlinthRelease in place of the one the policy names'),
    all: flag('Show every node of the order'),
    ...clusterOptions,
  },
  args: { policy: required('POLICY', 'An UpdatePolicy') },
  run: async ({ args, options }, context) => {
    const { planRollout } = await import('../fleet/plan-rollout.ts');
    return planRollout(args.policy, options, context);
  },
});
