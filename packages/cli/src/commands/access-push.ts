import { nodeOptions } from '../client/node-options.ts';
import { keyOptions } from '../flows/key-folder.ts';
import { defineCommand } from '../framework/command.ts';

export const accessPushCommand = defineCommand({
  path: ['access', 'push'],
  summary: 'Tell every node this client knows what is revoked',
  examples: [
    { run: 'plinth access push', what: 'for nodes that were off, or are new' },
    { run: 'plinth access push --timeout 60', what: 'over a slow line' },
  ],
  options: { timeout: nodeOptions.timeout, ...keyOptions },
  args: {},
  run: async ({ options }, context) => {
    const { pushRevocations } = await import('../access/push-revocations.ts');
    return pushRevocations(options, context);
  },
});
