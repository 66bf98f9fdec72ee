import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag } from '../framework/options.ts';

export const getMountsCommand = defineCommand({
  path: ['get', 'mounts'],
  summary: 'Show mounts and how full they are',
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth get mounts', what: 'the file systems of the node' },
    { run: 'plinth get mounts --all -o wide', what: 'those of the kernel and of pods too, with options' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    ...manyNodeOptions,
    all: flag('Those of the kernel, of pods and of services too'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { showMounts } = await import('../client/show-storage.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showMounts(one, context));
  },
});
