import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const getHealthCommand = defineCommand({
  path: ['get', 'health'],
  summary: 'Show whether a node can do its work, and why not',
  extraFormats: ['wide'],
  examples: [
    { run: 'plinth get health', what: 'every check, and what to do' },
    { run: 'plinth get health --context worker-1 --exit-code', what: 'another node, in a script' },
  ],
  options: { ...nodeOptions, ...manyNodeOptions },
  args: {},
  run: async ({ options }, context) => {
    const { showHealth } = await import('../client/show-health.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showHealth(one, context));
  },
});
