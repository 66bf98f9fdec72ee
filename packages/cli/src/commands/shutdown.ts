import { machineOptions } from '../client/machine-options.ts';
import { defineCommand } from '../framework/command.ts';
import { plainText } from '../output/blocks.ts';

export const shutdownCommand = defineCommand({
  path: ['shutdown'],
  summary: 'Power a node off in good order',
  details: [
    'Nothing in Plinth starts it again. Refused while it is at another act, and',
    'where etcd would lose its quorum.',
  ],
  examples: [
    { run: 'plinth shutdown --context w1 --drain', what: 'a member, its pods first' },
    { run: 'plinth shutdown --context cp1 --override cp1', what: 'although etcd would stop' },
  ],
  options: machineOptions,
  args: {},
  run: async ({ options }, context) => {
    const { shutDownNode } = await import('../flows/end-machine.ts');
    const data = await shutDownNode(options, context);
    const said = options.wait ? 'does not answer any more' : 'powers itself off';
    return { data, view: [plainText(`Node "${data.node}" ${said}.`)] };
  },
});
