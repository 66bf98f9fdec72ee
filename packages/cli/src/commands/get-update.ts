import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag } from '../framework/options.ts';

export const getUpdateCommand = defineCommand({
  path: ['get', 'update'],
  summary: 'Show which version a node runs, what comes next, or why nothing does',
  extraFormats: ['wide'],
  examples: [
    { run: 'plinth get update', what: 'booted, staged and rollback; the last trial' },
    { run: 'plinth get update --journal', what: 'with the last lines of a failed boot' },
  ],
  options: {
    journal: flag('With the last lines of the failed boot'),
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    ...manyNodeOptions,
  },
  args: {},
  run: async ({ options }, context) => {
    const { showUpdate } = await import('../client/show-update.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showUpdate(one, context));
  },
});
