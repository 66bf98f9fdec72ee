import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const getDisksCommand = defineCommand({
  path: ['get', 'disks'],
  summary: 'Show disks, their health, their volumes, and what lies on them',
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth get disks', what: 'sizes, models, health (SMART), partitions, dm-verity' },
    { run: 'plinth get disks -o wide', what: 'traffic, errors, all that disks say of themselves' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    ...manyNodeOptions,
  },
  args: {},
  run: async ({ options }, context) => {
    const { showDisks } = await import('../client/show-storage.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showDisks(one, context));
  },
});
