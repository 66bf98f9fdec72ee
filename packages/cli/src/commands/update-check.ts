import { askNode } from '../client/ask-node.ts';
import { callOptions } from '../client/update-options.ts';
import { defineCommand } from '../framework/command.ts';

export const updateCheckCommand = defineCommand({
  path: ['update', 'check'],
  summary: 'Let a node ask its repository which version comes next, or why none',
  examples: [
    { run: 'plinth update check', what: 'the current node' },
    { run: 'plinth update check -o json', what: 'for a program, with the code of each reason' },
  ],
  options: callOptions,
  args: {},
  run: async ({ options }, context) => {
    const { showChoice } = await import('../client/show-update.ts');
    return showChoice(await askNode(options, context, (node) => node.update.check()));
  },
});
