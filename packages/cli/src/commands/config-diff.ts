import { nodeOptions } from '../client/node-options.ts';
import { revisionArgument } from '../config/revision.ts';
import { defineCommand } from '../framework/command.ts';
import { flag } from '../framework/options.ts';

export const configDiffCommand = defineCommand({
  path: ['config', 'diff'],
  summary: 'Show what differs between two configs that a node had',
  examples: [
    { run: 'plinth config diff 3', what: 'from revision 3 to the one in effect' },
    { run: 'plinth config diff 3 5', what: 'from one to another' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    exitCode: flag('End with 3 when something differs'),
  },
  args: {
    from: { ...revisionArgument('A', 'Revision'), required: true },
    to: revisionArgument('B', 'Revision; default: the one in effect'),
  },
  run: async ({ args, options }, context) => {
    const { showConfigDiff } = await import('../config/show-config.ts');
    return showConfigDiff(args.from, args.to, options, context);
  },
});
