import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const getIdentityCommand = defineCommand({
  path: ['get', 'identity'],
  summary: 'Show which node answers, and as whom it sees you',
  examples: [
    { run: 'plinth get identity', what: 'name, id, fingerprint, addresses, your role' },
    { run: 'plinth get identity -o yaml', what: 'for a record' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout, ...manyNodeOptions },
  args: {},
  run: async ({ options }, context) => {
    const { showIdentity } = await import('../client/show-identity.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showIdentity(one, context));
  },
});
