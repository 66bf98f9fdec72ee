import { nodeOptions } from '../client/node-options.ts';
import { revisionArgument } from '../config/revision.ts';
import { defineCommand } from '../framework/command.ts';

export const configShowCommand = defineCommand({
  path: ['config', 'show'],
  summary: 'Print the machine config of a node as it was applied',
  details: [
    'Written to a file it can be changed and applied again. Admins get it with its secrets; to others they',
    'read "(secret)".',
  ],
  examples: [
    { run: 'plinth config show > node.yaml', what: 'the one in effect' },
    { run: 'plinth config show 3', what: 'an earlier one' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout },
  args: {
    revision: revisionArgument('REVISION', 'One of "plinth config history"; default: the one in effect'),
  },
  run: async ({ args, options }, context) => {
    const { showConfig } = await import('../config/show-config.ts');
    return showConfig(args.revision, options, context);
  },
});
