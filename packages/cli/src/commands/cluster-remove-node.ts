import { actTimes } from '../client/act-options.ts';
import { defineCommand } from '../framework/command.ts';
import { agree, agreeByName, consentOption } from '../framework/consent.ts';
import { flag, integer, required, text } from '../framework/options.ts';
import { plainText } from '../output/blocks.ts';

export const clusterRemoveNodeCommand = defineCommand({
  path: ['cluster', 'remove-node'],
  summary: 'Let a node leave its cluster and remove its machine',
  details: ['With --lost the node is not asked: for one that does not come back.'],
  examples: [
    { run: 'plinth cluster remove-node local-worker-1', what: 'in order' },
    { run: 'plinth cluster remove-node local-cp-2 --lost --confirm local-cp-2', what: 'a dead one' },
  ],
  options: {
    lost: flag('Do not ask the node; see also "plinth etcd remove"'),
    confirm: text('NODE', 'Its name once more, for --lost'),
    override: text('NODE', "The node's name, typed by you, to lose the quorum"),
    yes: consentOption,
    timeout: integer('SECONDS', { min: 10, max: 7200, fallback: 1800 }, 'How long to wait'),
  },
  args: { node: required('NODE', 'Machine of a local cluster') },
  run: async ({ args: { node }, options }, context) => {
    const { removeNode } = await import('../flows/remove-node.ts');
    if (options.lost)
      agreeByName(options.confirm, node, 'its disk would be lost without the cluster knowing');
    else await agree(`Remove node "${node}" and its disk?`, options.yes, context);
    const cluster = await removeNode(
      node,
      { ...actTimes(options), lost: options.lost, override: options.override ?? '' },
      context,
    );
    return {
      data: { node, cluster },
      view: [plainText(`Node "${node}" is gone from cluster "${cluster}".`)],
    };
  },
});
