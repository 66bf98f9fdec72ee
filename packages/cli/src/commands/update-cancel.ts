import { askNode } from '../client/ask-node.ts';
import { callOptions } from '../client/update-options.ts';
import { defineCommand } from '../framework/command.ts';
import { plainText } from '../output/blocks.ts';

export const updateCancelCommand = defineCommand({
  path: ['update', 'cancel'],
  summary: 'End staging on a node, or take back what is staged',
  examples: [
    { run: 'plinth update cancel', what: 'the current node' },
    { run: 'plinth update cancel --context w1', what: 'another node' },
  ],
  options: callOptions,
  args: {},
  run: async ({ options }, context) => {
    const version = await askNode(options, context, (node) => node.update.cancel());
    const text = version === '' ? 'There was nothing to take back.' : `${version} is not staged any more.`;
    return { data: { version }, view: [plainText(text)] };
  },
});
