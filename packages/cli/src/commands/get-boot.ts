import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag } from '../framework/options.ts';

export const getBootCommand = defineCommand({
  path: ['get', 'boot'],
  summary: 'Show what the last boot took, and how the one before ended',
  examples: [
    { run: 'plinth get boot', what: 'firmware, loader, kernel, initrd, userspace' },
    { run: 'plinth get boot --units', what: 'and the slowest units' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    ...manyNodeOptions,
    units: flag('List the units that took longest to start'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { showBoot } = await import('../client/show-boot.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showBoot(one, context));
  },
});
