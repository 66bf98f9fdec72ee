import { clusterOptions } from '../fleet/cluster-options.ts';
import { defineCommand } from '../framework/command.ts';
import { optional } from '../framework/options.ts';

export const rolloutStatusCommand = defineCommand({
  path: ['rollout', 'status'],
  summary: 'Show rollouts, or one with what holds it back',
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth rollout status', what: 'all, those under way first' },
    { run: 'plinth rollout status workers', what: 'that of policy "workers"' },
  ],
  options: clusterOptions,
  args: { name: optional('NAME', 'A rollout, or a policy with one under way') },
  run: async ({ args, options }, context) => {
    const { showRollouts } = await import('../fleet/show-rollouts.ts');
    return showRollouts(args.name, options, context);
  },
});
