import { askNode } from '../client/ask-node.ts';
import { callOptions } from '../client/update-options.ts';
import { defineCommand } from '../framework/command.ts';
import { required } from '../framework/options.ts';
import { plainText } from '../output/blocks.ts';

export const updateUnblockCommand = defineCommand({
  path: ['update', 'unblock'],
  summary: 'Let a node take a version again that failed there or was left',
  examples: [
    { run: 'plinth update unblock 1.4.2', what: 'the current node' },
    { run: 'plinth update unblock 1.4.2 --context w1', what: 'another node' },
  ],
  options: callOptions,
  args: { version: required('VERSION', 'As "plinth get update" shows it') },
  run: async ({ options, args }, context) => {
    await askNode(options, context, (node) => node.update.unblock(args.version));
    return { data: { version: args.version }, view: [plainText(`${args.version} is not blocked any more.`)] };
  },
});
