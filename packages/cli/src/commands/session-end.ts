import { oneNodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { optional } from '../framework/options.ts';

export const sessionEndCommand = defineCommand({
  path: ['session', 'end'],
  summary: 'End the open session of a node',
  examples: [
    { run: 'plinth session end', what: 'whoever opened it' },
    { run: 'plinth session end 1f3a9c20 --context w1', what: 'one by its id' },
  ],
  options: oneNodeOptions,
  args: { session: optional('SESSION', 'Default: the open one') },
  run: async ({ options, args }, context) => {
    const { endSession } = await import('../session/show-sessions.ts');
    return endSession(args.session, options, context);
  },
});
