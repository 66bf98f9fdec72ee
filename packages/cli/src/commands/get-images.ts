import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const getImagesCommand = defineCommand({
  path: ['get', 'images'],
  summary: 'List the images of a node',
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth get images', what: 'with their sizes' },
    { run: 'plinth get images -o wide --nodes a,b', what: 'two nodes, with digests' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout, ...manyNodeOptions },
  args: {},
  run: async ({ options }, context) => {
    const { showImages } = await import('../client/show-containers.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showImages(one, context));
  },
});
