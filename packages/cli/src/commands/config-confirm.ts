import { PlinthError } from '@plinth/base';
import { askNode } from '../client/ask-node.ts';
import { nodeOptions } from '../client/node-options.ts';
import { revisionArgument } from '../config/revision.ts';
import { defineCommand } from '../framework/command.ts';
import { plainText } from '../output/blocks.ts';

export const configConfirmCommand = defineCommand({
  path: ['config', 'confirm'],
  summary: 'Keep the machine config that is on trial on a node',
  examples: [
    { run: 'plinth config confirm', what: 'the one on trial now' },
    { run: 'plinth config confirm 4 --context new-address', what: 'only if it is this one' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout },
  args: { revision: revisionArgument('REVISION', 'Its number; default: whatever is on trial') },
  run: async ({ args, options }, context) => {
    const revision = await askNode(options, context, async (node) => {
      const meant = args.revision || ((await node.config.status()).trial?.revision ?? 0);
      if (meant === 0)
        throw new PlinthError('config/not-in-trial', 'Cannot confirm: no revision is on trial, expected one');
      await node.config.confirm(meant);
      return meant;
    });
    return { data: { revision }, view: [plainText(`Revision ${revision} stays.`)] };
  },
});
