import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const getPodsCommand = defineCommand({
  path: ['get', 'pods'],
  summary: 'List the pods of a node, as its container runtime has them',
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth get pods', what: 'without asking the cluster' },
    { run: 'plinth get pods --all-nodes', what: 'those of every node' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout, ...manyNodeOptions },
  args: {},
  run: async ({ options }, context) => {
    const { showPods } = await import('../client/show-containers.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showPods(one, context));
  },
});
