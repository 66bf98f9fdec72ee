import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const getSlotsCommand = defineCommand({
  path: ['get', 'slots'],
  summary: 'Show what the slots of a node hold and which was booted',
  extraFormats: ['wide'],
  examples: [
    { run: 'plinth get slots', what: 'slots A and B, then the boot entries' },
    { run: 'plinth get slots -o wide', what: 'with the partitions of each' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout, ...manyNodeOptions },
  args: {},
  run: async ({ options }, context) => {
    const { showSlots } = await import('../client/show-slots.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showSlots(one, context));
  },
});
