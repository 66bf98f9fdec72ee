import { clusterOptions } from '../fleet/cluster-options.ts';
import { defineCommand } from '../framework/command.ts';
import { consentOption } from '../framework/consent.ts';
import { flag, textOr } from '../framework/options.ts';

export const fleetUninstallCommand = defineCommand({
  path: ['fleet', 'uninstall'],
  summary: 'Remove the fleet operator; what it knows stays unless asked',
  details: ['Refused while nodes are being updated: pause the rollouts first.'],
  examples: [
    { run: 'plinth fleet uninstall', what: 'policies and records stay' },
    { run: 'plinth fleet uninstall --kinds --yes', what: 'everything goes' },
  ],
  options: {
    namespace: textOr('NAME', 'plinth-fleet', 'Where it runs'),
    kinds: flag('Delete releases, policies, rollouts and records too'),
    yes: consentOption,
    ...clusterOptions,
  },
  args: {},
  run: async ({ options }, context) => {
    const { uninstallFleet } = await import('../fleet/uninstall-fleet.ts');
    return uninstallFleet(options, context);
  },
});
