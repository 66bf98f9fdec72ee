import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const getPeersCommand = defineCommand({
  path: ['get', 'peers'],
  summary: 'List the nodes of a cluster that one node leads to',
  details: [
    'Each can be named in --nodes of other commands: this node carries the bytes, and reads none of them.',
  ],
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth get peers', what: 'names, roles, addresses' },
    { run: 'plinth get peers -o wide', what: 'with identities and labels' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout },
  args: {},
  run: async ({ options }, context) => {
    const { showPeers } = await import('../client/show-peers.ts');
    return showPeers(options, context);
  },
});
