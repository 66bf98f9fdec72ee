import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag } from '../framework/options.ts';

export const getSocketsCommand = defineCommand({
  path: ['get', 'sockets'],
  summary: 'Show what listens on a node, and who owns it',
  extraFormats: ['wide'],
  examples: [
    { run: 'plinth get sockets', what: 'listening sockets with their units and pods' },
    { run: 'plinth get sockets --all -o wide', what: 'connections too' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    ...manyNodeOptions,
    all: flag('Connections too'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { showSockets } = await import('../client/show-sockets.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showSockets(one, context));
  },
});
