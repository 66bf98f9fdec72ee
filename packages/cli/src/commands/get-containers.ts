import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const getContainersCommand = defineCommand({
  path: ['get', 'containers'],
  summary: 'List the containers of a node, those that ended included',
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth get containers', what: 'with the pods they belong to' },
    { run: 'plinth get containers -o wide', what: 'with images and ids' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout, ...manyNodeOptions },
  args: {},
  run: async ({ options }, context) => {
    const { showContainers } = await import('../client/show-containers.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showContainers(one, context));
  },
});
