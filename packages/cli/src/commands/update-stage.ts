import { stageOptions } from '../client/update-options.ts';
import { defineCommand } from '../framework/command.ts';

export const updateStageCommand = defineCommand({
  path: ['update', 'stage'],
  summary: 'Bring a version to the disk of a node; nothing that runs is touched',
  details: ['Ctrl-C detaches: the node goes on, and the same command follows it.'],
  examples: [
    { run: 'plinth update stage', what: 'what its channel offers' },
    {
      run: 'plinth update stage --to 1.4.2 --all-nodes',
      what: 'the whole cluster, one node after the other',
    },
  ],
  options: stageOptions,
  args: {},
  run: async ({ options }, context) => {
    const { stageNodes } = await import('../flows/upgrade-node.ts');
    const { showUpgraded } = await import('../client/show-update.ts');
    return showUpgraded(await stageNodes(options, context));
  },
});
