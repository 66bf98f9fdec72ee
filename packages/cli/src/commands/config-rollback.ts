import { changeOptions } from '../config/config-options.ts';
import { revisionArgument } from '../config/revision.ts';
import { defineCommand } from '../framework/command.ts';

export const configRollbackCommand = defineCommand({
  path: ['config', 'rollback'],
  summary: 'Go back to an earlier machine config of a node',
  details: [
    'Without a number: ends a trial, else drops what is staged, else goes back to the config before.',
    'An earlier config becomes a new revision, applied like any other.',
  ],
  examples: [
    { run: 'plinth config rollback', what: 'one step back' },
    { run: 'plinth config rollback 3 --mode try', what: 'a certain one, on trial' },
  ],
  options: changeOptions,
  args: { revision: revisionArgument('REVISION', 'One of "plinth config history"') },
  run: async ({ args, options }, context) => {
    const { rollbackConfig } = await import('../config/apply-config.ts');
    return rollbackConfig(args.revision, options, context);
  },
});
