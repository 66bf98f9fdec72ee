import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const getHotLayerCommand = defineCommand({
  path: ['get', 'hot-layer'],
  summary: 'Show the hot layer of a node, and what still runs replaced code',
  extraFormats: ['wide'],
  examples: [
    { run: 'plinth get hot-layer', what: 'the current node' },
    { run: 'plinth get hot-layer --all-nodes', what: 'the whole cluster' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout, ...manyNodeOptions },
  args: {},
  run: async ({ options }, context) => {
    const { showHotLayer } = await import('../client/show-hot-layer.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showHotLayer(one, context));
  },
});
