import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const getBootstrapContainersCommand = defineCommand({
  path: ['get', 'bootstrap-containers'],
  summary: 'Show how the containers came out that ran before the workloads',
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth get bootstrap-containers', what: 'state, exit code, and what a failed one wrote' },
    { run: 'plinth get bootstrap-containers --all-nodes -o json', what: 'of a whole cluster' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout, ...manyNodeOptions },
  args: {},
  run: async ({ options }, context) => {
    const { showBootstrapContainers } = await import('../client/show-bootstrap-containers.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showBootstrapContainers(one, context));
  },
});
