import { ListPeersResponseSchema, messageData, nodeRoleName } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { type AskOptions, askNode } from './ask-node.ts';

/** showPeers asks a node who the others of its cluster are. @throws cli/context-missing, cli/config-invalid, api/… */
export async function showPeers(options: AskOptions, context: CommandContext): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.tunnel.peers());
  return {
    data: messageData(ListPeersResponseSchema, answer),
    names: answer.peers.map(({ name }) => name),
    view: [
      table(
        [
          { header: 'NAME', value: ({ name }) => name },
          { header: 'ROLE', value: ({ role }) => nodeRoleName(role) },
          { header: 'ADDRESS', value: ({ address }) => address },
          { header: 'SELF', value: ({ self }) => (self ? 'yes' : 'no') },
          { header: 'ID', value: ({ nodeId }) => nodeId, wide: true },
          { header: 'LABELS', value: ({ labels }) => labelsText(labels), wide: true },
        ],
        answer.peers,
        'The node knows no peers: it belongs to no cluster, or its control plane has not listed them yet.',
      ),
      ...(answer.problem === '' ? [] : [plainText(`From an older list: ${printable(answer.problem)}`)]),
    ],
  };
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .sort()
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
