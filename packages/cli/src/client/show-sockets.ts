import { ListSocketsResponseSchema, messageData, type Socket } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { type AskOptions, askNode } from './ask-node.ts';
import { cutBlock, emptyText, notObservedBlock } from './system-cells.ts';

/** showSockets asks a node for its IP sockets. Without `all` only those that wait for others. @throws cli/context-missing, api/… */
export async function showSockets(
  options: AskOptions & { readonly all: boolean },
  context: CommandContext,
): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) =>
    node.system.sockets({ listeningOnly: !options.all }),
  );
  const states = Object.entries(answer.states).sort(([, a], [, b]) => b - a);
  return {
    data: messageData(ListSocketsResponseSchema, answer),
    view: [
      table(
        [
          { header: 'PROTOCOL', value: ({ protocol }) => protocol },
          { header: 'STATE', value: ({ state }) => state.toLowerCase() },
          { header: 'LOCAL', value: (one) => endpoint(one.localAddress, one.localPort) },
          {
            header: 'REMOTE',
            value: (one) => (one.remotePort === 0 ? '' : endpoint(one.remoteAddress, one.remotePort)),
          },
          { header: 'OWNER', value: ownerOf },
          { header: 'PROCESS', value: ({ pid, process }) => (pid === 0 ? '' : `${process} (${pid})`) },
          { header: 'USER', value: ({ user }) => user, wide: true },
          {
            header: 'RECEIVED',
            value: ({ receiveQueue }) => String(receiveQueue),
            align: 'right',
            wide: true,
          },
          { header: 'UNSENT', value: ({ sendQueue }) => String(sendQueue), align: 'right', wide: true },
        ],
        answer.sockets,
        emptyText(answer.notObserved, 'Nothing listens.'),
      ),
      ...(states.length > 0
        ? [
            facts([
              [
                'sockets',
                states.map(([state, count]) => `${count} ${printable(state.toLowerCase())}`).join(', '),
              ],
            ]),
          ]
        : []),
      ...cutBlock(answer.sockets.length, answer.total, 'shown'),
      ...notObservedBlock(answer.notObserved),
    ],
  };
}

function ownerOf({ unit, podUid }: Socket): string {
  return podUid === '' ? unit : `pod ${podUid.slice(0, 8)}`;
}

function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
