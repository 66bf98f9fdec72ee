import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { integer } from '../framework/options.ts';

export const getResourcesCommand = defineCommand({
  path: ['get', 'resources'],
  summary: 'Show memory, processors, load and pressure of a node',
  examples: [
    { run: 'plinth get resources', what: 'is it too small for what runs?' },
    { run: 'plinth get resources --sample 5', what: 'processors over five seconds' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    ...manyNodeOptions,
    sample: integer('SECONDS', { min: 0, max: 5, fallback: 1 }, 'Measure the use of processors for so long'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { showResources } = await import('../client/show-resources.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showResources(one, context));
  },
});
