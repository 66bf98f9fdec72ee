import { once } from 'node:events';
import { connect } from 'node:net';
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import { NodeRole } from '../gen/plinth/node/v1/kubernetes_pb.ts';
import type { OpenTunnelRequest, TunnelService } from '../gen/plinth/node/v1/tunnel_pb.ts';

/** A served fake node as the others know it. */
export interface FakePeer {
  readonly nodeId: string;
  readonly port: number;
  readonly role: NodeRole;
  readonly labels: Readonly<Record<string, string>>;
}

/** fakeTunnel leads to the other fake nodes on loopback, by name, as a real node leads to its peers. */
export function fakeTunnel(
  ownName: string,
  peers: ReadonlyMap<string, FakePeer>,
): ServiceImpl<typeof TunnelService> {
  return {
    listPeers: () => ({
      peers: [...peers]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, { nodeId, role, labels }]) => ({
          ...{ name, nodeId, role: role || NodeRole.WORKER, address: '192.0.2.7' },
          ...{ labels: { ...labels }, self: name === ownName },
        })),
    }),
    async *openTunnel(requests) {
      const messages = requests[Symbol.asyncIterator]();
      const first = await messages.next();
      const peer = peers.get(first.done ? '' : first.value.nodeName);
      if (!peer) throw new ConnectError('no such peer', Code.NotFound);
      const socket = connect(peer.port, '127.0.0.1');
      try {
        await once(socket, 'connect');
        yield {};
        void send(messages, (chunk) => socket.write(chunk)).then(
          () => socket.end(),
          () => socket.destroy(),
        );
        for await (const chunk of socket) yield { chunk };
      } finally {
        socket.destroy();
      }
    },
  };
}

async function send(messages: AsyncIterator<OpenTunnelRequest>, write: (chunk: Uint8Array) => void) {
  for (let next = await messages.next(); !next.done; next = await messages.next()) write(next.value.chunk);
}
