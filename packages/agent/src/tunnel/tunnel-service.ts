import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type ConnectRouter, type ServiceImpl } from '@connectrpc/connect';
import {
  ListPeersResponseSchema,
  NodeRole,
  nodeApiPort,
  type OpenTunnelRequest,
  OpenTunnelResponseSchema,
  TunnelService,
} from '@plinth/api';
import { carryBytes, connectPeer, TUNNEL_LIMITS, type TunnelLimits } from './carry-bytes.ts';
import { findPeer } from './find-peer.ts';
import type { PeerBook } from './peers.ts';

/** What the service works with. */
export interface TunnelParts {
  readonly peers: PeerBook;
  readonly nodeName: string;
  /** Port of a peer's API, and what is an address of a peer; tests have their own. */
  readonly port?: number;
  readonly isAddress?: (address: string) => boolean;
  readonly limits?: TunnelLimits;
}

const roles = { 'control-plane': NodeRole.CONTROL_PLANE, worker: NodeRole.WORKER } as const;
/** A tunnel lasts as long as the client's work; a client may ask for any bound on it. */
const NO_LIMIT_MS = Number.MAX_SAFE_INTEGER;

/** tunnelService gives the routes of plinth.node.v1.TunnelService. */
export function tunnelService(parts: TunnelParts): (router: ConnectRouter) => void {
  const { peers, nodeName, port = nodeApiPort, limits = TUNNEL_LIMITS } = parts;
  const routes: ServiceImpl<typeof TunnelService> = {
    listPeers: async () => {
      const known = await peers.list();
      return create(ListPeersResponseSchema, {
        peers: known.peers.map((peer) => ({
          ...{ name: peer.name, nodeId: peer.nodeId, address: peer.address },
          ...{ role: roles[peer.role], labels: { ...peer.labels }, self: peer.name === nodeName },
        })),
        ...(known.observedAtMs !== undefined && { observedAt: timestampFromMs(known.observedAtMs) }),
        problem: known.problem,
      });
    },
    async *openTunnel(requests, { signal }) {
      const messages = requests[Symbol.asyncIterator]();
      const name = await targetOf(messages, limits.openMs);
      const { address } = findPeer(name, await peers.list(), parts);
      const socket = await connectPeer({ name, address, port }, limits, signal);
      yield create(OpenTunnelResponseSchema);
      try {
        for await (const chunk of carryBytes(chunksOf(messages), socket))
          yield create(OpenTunnelResponseSchema, { chunk });
      } catch (reason) {
        throw brokenTunnel(reason);
      }
    },
  };
  return (router) => {
    router.service(TunnelService, routes, { maxTimeoutMs: NO_LIMIT_MS });
  };
}

/** The first message names the peer; who stays silent holds a place for nothing. */
async function targetOf(messages: AsyncIterator<OpenTunnelRequest>, limitMs: number): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new ConnectError(`no peer was named within ${limitMs} ms`, Code.DeadlineExceeded)),
      limitMs,
    );
  });
  try {
    const first = await Promise.race([messages.next(), late]);
    if (first.done)
      throw new ConnectError('nothing was sent, expected the name of a peer', Code.InvalidArgument);
    return first.value.nodeName;
  } finally {
    clearTimeout(timer);
  }
}

async function* chunksOf(messages: AsyncIterator<OpenTunnelRequest>): AsyncGenerator<Uint8Array> {
  for (let next = await messages.next(); !next.done; next = await messages.next()) yield next.value.chunk;
}

/** A connection that broke on either side is no fault inside. */
function brokenTunnel(reason: unknown): ConnectError {
  const state = reason instanceof Error ? reason.message : 'no reason given';
  return new ConnectError(`the connection to the peer broke: ${state.slice(0, 200)}`, Code.Unavailable);
}
