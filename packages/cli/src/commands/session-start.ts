import { oneNodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { choice, flag, integer, text } from '../framework/options.ts';
import { timeSpan } from '../framework/time-span.ts';

export const sessionStartCommand = defineCommand({
  path: ['session', 'start'],
  summary: 'Open a recorded, time-boxed shell in a container of tools on a node',
  details: [
    'Off unless the machine config has a document OperationsSession. Everything typed and shown is recorded on the node.',
    'Ctrl-] leaves the terminal; the session goes on until its time is up, its shell ends, or "plinth session end".',
  ],
  examples: [
    { run: "plinth session start --reason 'disk errors, ticket 4711'", what: 'look, and change nothing' },
    { run: 'plinth session start --level full --ttl 10m --reason x', what: 'root of the node' },
  ],
  options: {
    reason: text('TEXT', 'Why, for the audit log; it must be said'),
    level: choice(['view', 'full'], 'What it may do; default: view'),
    ttl: timeSpan({ min: '1s', max: '8h', fallback: '30m' }, 'How long at most'),
    detach: flag('Only open it; attach later'),
    wait: integer('SECONDS', { min: 10, max: 1800, fallback: 300 }, 'Bound on the pull of its image'),
    ...oneNodeOptions,
  },
  args: {},
  run: async ({ options }, context) => {
    const { startSession } = await import('../session/start-session.ts');
    return startSession(options, context);
  },
});
