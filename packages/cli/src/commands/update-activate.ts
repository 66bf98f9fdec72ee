import { activateOptions } from '../client/update-options.ts';
import { defineCommand } from '../framework/command.ts';

export const updateActivateCommand = defineCommand({
  path: ['update', 'activate'],
  summary: 'Reboot a node into the version that is staged',
  details: ['It waits until the version has proven itself, or the node has taken it back.'],
  examples: [
    { run: 'plinth update activate --drain', what: 'a member of a cluster, pods first' },
    { run: 'plinth update activate --nodes w1,w2', what: 'one after the other, until one fails' },
  ],
  options: activateOptions,
  args: {},
  run: async ({ options }, context) => {
    const { upgradeNodes } = await import('../flows/upgrade-node.ts');
    const { showUpgraded } = await import('../client/show-update.ts');
    return showUpgraded(await upgradeNodes({ ...options, to: undefined }, context, 'activate'));
  },
});
