import { upgradeOptions } from '../client/update-options.ts';
import { defineCommand } from '../framework/command.ts';

export const upgradeCommand = defineCommand({
  path: ['upgrade'],
  summary: 'Bring a node to another version of its system',
  details: ['It proves itself there, or the node takes it back; Ctrl-C only detaches.'],
  examples: [
    { run: 'plinth upgrade --to 1.4.2 --drain', what: 'of a member, pods first' },
    { run: 'plinth upgrade', what: 'to what its channel offers' },
  ],
  options: upgradeOptions,
  args: {},
  run: async ({ options }, context) => {
    const { upgradeNodes } = await import('../flows/upgrade-node.ts');
    const { showUpgraded } = await import('../client/show-update.ts');
    return showUpgraded(await upgradeNodes(options, context));
  },
});
