import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const sessionListCommand = defineCommand({
  path: ['session', 'list'],
  summary: 'List the open session of a node, and those it has recordings of',
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth session list --all-nodes', what: 'who works by hand on which node' },
    { run: 'plinth session list -o wide', what: 'with why each ended, and its recording' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout, ...manyNodeOptions },
  args: {},
  run: async ({ options }, context) => {
    const { listSessions } = await import('../session/show-sessions.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => listSessions(one, context));
  },
});
