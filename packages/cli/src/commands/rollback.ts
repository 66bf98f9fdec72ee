import { rollBackOptions } from '../client/update-options.ts';
import { defineCommand } from '../framework/command.ts';

export const rollbackCommand = defineCommand({
  path: ['rollback'],
  summary: 'Let a node go back to the version of its system before',
  details: [
    'It reboots into the version that "plinth get update" shows as rollback. The version that is',
    'left is not taken again until it is named: "plinth upgrade --to VERSION".',
  ],
  examples: [
    { run: 'plinth rollback --reason "slow disks"', what: 'the current node' },
    { run: 'plinth rollback --context w1 --drain', what: 'a member of a cluster, pods first' },
  ],
  options: rollBackOptions,
  args: {},
  run: async ({ options }, context) => {
    const { rollBackNode } = await import('../flows/upgrade-node.ts');
    const { showUpgraded } = await import('../client/show-update.ts');
    return showUpgraded([await rollBackNode(options, context)]);
  },
});
