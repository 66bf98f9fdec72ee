import { clusterOptions } from '../fleet/cluster-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, textOr } from '../framework/options.ts';

export const fleetStatusCommand = defineCommand({
  path: ['fleet', 'status'],
  summary: 'Show the fleet operator, its policies, and what they do',
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth fleet status', what: 'operator and policies' },
    { run: 'plinth fleet status --nodes', what: 'each node, its phase, and why' },
  ],
  options: {
    nodes: flag('Show nodes in place of policies'),
    namespace: textOr('NAME', 'plinth-fleet', 'Where the operator runs'),
    ...clusterOptions,
  },
  args: {},
  run: async ({ options }, context) => {
    const { showFleet } = await import('../fleet/show-fleet.ts');
    return showFleet(options, context);
  },
});
