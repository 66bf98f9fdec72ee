import { askNode } from '../client/ask-node.ts';
import { durationMs } from '../client/duration.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { integer } from '../framework/options.ts';
import { facts } from '../output/blocks.ts';
import { formatBytes, formatDuration } from '../output/units.ts';

export const etcdDefragmentCommand = defineCommand({
  path: ['etcd', 'defragment'],
  summary: 'Give unused space of one member back to its disk',
  details: ['The member does not answer meanwhile: one after the other, the leader last.'],
  examples: [
    { run: 'plinth etcd defragment', what: 'the member of the current node' },
    { run: 'plinth etcd defragment --context cp2', what: 'the next one' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: integer('SECONDS', { min: 1, max: 3600, fallback: 300 }, 'Bound on its answer'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { DefragmentEtcdResponseSchema, messageData } = await import('@plinth/api');
    const answer = await askNode(options, context, (node) => node.etcd.defragment(options.timeout * 1000));
    return {
      data: messageData(DefragmentEtcdResponseSchema, answer),
      view: [
        facts([
          ['before', formatBytes(Number(answer.beforeBytes))],
          ['after', formatBytes(Number(answer.afterBytes))],
          ['took', formatDuration(durationMs(answer.duration))],
        ]),
      ],
    };
  },
});
