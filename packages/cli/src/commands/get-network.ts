import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag } from '../framework/options.ts';

export const getNetworkCommand = defineCommand({
  path: ['get', 'network'],
  summary: 'Show links, addresses, routes, DNS and neighbours of a node',
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth get network', what: 'why can it not be reached?' },
    { run: 'plinth get network --all -o wide', what: 'links of pods too, with traffic' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    ...manyNodeOptions,
    all: flag('Links of pods too'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { showNetwork } = await import('../client/show-network.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showNetwork(one, context));
  },
});
