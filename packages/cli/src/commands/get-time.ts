import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag } from '../framework/options.ts';

export const getTimeCommand = defineCommand({
  path: ['get', 'time'],
  summary: 'Show whether the clock of a node follows a server',
  examples: [
    { run: 'plinth get time', what: 'server, offset, drift' },
    { run: 'plinth get time --exit-code -q', what: 'in a script' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    ...manyNodeOptions,
    exitCode: flag('End with 3 when it does not'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { showTime } = await import('../client/show-time.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showTime(one, context));
  },
});
