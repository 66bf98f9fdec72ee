import { actOptions, actTimes } from '../client/act-options.ts';
import { defineCommand } from '../framework/command.ts';
import { agree, consentOption } from '../framework/consent.ts';
import { text } from '../framework/options.ts';
import { plainText } from '../output/blocks.ts';

export const clusterLeaveCommand = defineCommand({
  path: ['cluster', 'leave'],
  summary: 'Let a node leave its cluster',
  details: ['Its etcd member goes first. Refused where the quorum would be lost.'],
  examples: [
    { run: 'plinth cluster leave --context w1', what: 'a worker' },
    { run: 'plinth cluster leave --context cp2 --override cp2', what: 'although etcd would stop' },
  ],
  options: {
    override: text('NODE', "The node's name, typed by you, to lose the quorum"),
    yes: consentOption,
    ...actOptions,
  },
  args: {},
  run: async ({ options }, context) => {
    const { leaveCluster, meantNode } = await import('../flows/node-acts.ts');
    const node = await meantNode(options.context, context);
    await agree(`Let node "${node}" leave its cluster?`, options.yes, context);
    await leaveCluster(node, options.override ?? '', actTimes(options), context);
    return { data: { node }, view: [plainText(`Node "${node}" has left its cluster.`)] };
  },
});
