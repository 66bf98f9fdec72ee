import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const configHistoryCommand = defineCommand({
  path: ['config', 'history'],
  summary: 'List the configs a node had, by whom, why, and how each ended',
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth config history', what: 'the one in effect is marked; drift is named' },
    { run: 'plinth config history --context w1 -o json', what: 'another node, for a program' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout },
  args: {},
  run: async ({ options }, context) => {
    const { showConfigHistory } = await import('../config/show-config.ts');
    return showConfigHistory(options, context);
  },
});
