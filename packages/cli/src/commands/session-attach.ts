import { oneNodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { optional } from '../framework/options.ts';

export const sessionAttachCommand = defineCommand({
  path: ['session', 'attach'],
  summary: 'Attach the terminal to an open session; Ctrl-] leaves it',
  examples: [
    { run: 'plinth session attach', what: 'the open session of the node' },
    { run: 'plinth session attach 1f3a9c20 --context w1', what: 'one by its id' },
  ],
  options: oneNodeOptions,
  args: { session: optional('SESSION', 'Default: the open one') },
  run: async ({ options, args }, context) => {
    const { attachSession } = await import('../session/start-session.ts');
    return attachSession(args.session, options, context);
  },
});
