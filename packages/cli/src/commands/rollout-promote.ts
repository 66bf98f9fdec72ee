import { clusterOptions } from '../fleet/cluster-options.ts';
import { defineCommand } from '../framework/command.ts';
import { consentOption } from '../framework/consent.ts';
import { maybeInteger, required } from '../framework/options.ts';

export const rolloutPromoteCommand = defineCommand({
  path: ['rollout', 'promote'],
  summary: 'Lift a halt, or go to the next wave before its time',
  details: ['Takes the verb "promote" on rollouts (ClusterRole plinth-fleet-promoter).'],
  examples: [
    { run: 'plinth rollout promote workers', what: 'lift the halt, or end the soak' },
    { run: 'plinth rollout promote workers --wave 4', what: 'go to wave 4 at once' },
  ],
  options: {
    wave: maybeInteger('N', { min: 2, max: 20 }, 'Wave to go to; default: the next'),
    yes: consentOption,
    ...clusterOptions,
  },
  args: { name: required('NAME', 'A rollout, or a policy with one under way') },
  run: async ({ args, options: { wave, ...options } }, context) => {
    const { changeRollout } = await import('../fleet/change-rollout.ts');
    const { promoteTo } = await import('../fleet/rollout-changes.ts');
    return changeRollout(args.name, promoteTo(wave), options, context);
  },
});
