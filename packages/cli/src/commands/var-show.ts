import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const varShowCommand = defineCommand({
  path: ['var', 'show'],
  summary: 'Show whether /var of a node is encrypted, and what opens it',
  examples: [
    { run: 'plinth var show', what: 'the current node' },
    { run: 'plinth var show --context w2', what: 'another one' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout },
  args: {},
  run: async ({ options }, context) => {
    const { showVar } = await import('../client/show-var.ts');
    return showVar(options, context);
  },
});
