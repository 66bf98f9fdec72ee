import { connect, createServer, type Socket } from 'node:net';
import {
  type Health,
  nextState,
  orderServers,
  type ServerState,
  type Sight,
  UNSEEN,
} from './server-health.ts';
import { parseServer, usableServers } from './server-list.ts';

export interface BalancerOptions {
  /** TCP port on 127.0.0.1. */
  readonly port: number;
  /** host:port of the API server on this node, on a control plane. */
  readonly own?: string | undefined;
  /** How long a server may take to accept a connection. */
  readonly connectMs?: number;
  /** Connections at once; more are closed at once. */
  readonly connections?: number;
}

/** A listener on loopback that hands each connection to an API server that works. */
export interface Balancer {
  readonly port: number;
  readonly servers: () => readonly string[];
  /** Replaces the list; connections to a server that is gone from it end. An unusable or empty list is not taken. */
  setServers(servers: readonly string[]): boolean;
  /** Tells what was seen of a server. One that is found dead loses its connections where another is ready, so that clients come anew. */
  observe(server: string, sight: Sight): void;
  healthOf(server: string): Health;
  /** Stops listening and ends all connections. */
  close(): Promise<void>;
}

const CONNECT_MS = 2_000;
const CONNECTIONS = 512;
/** When an idle connection is first asked whether the other side is still there. */
const KEEPALIVE_MS = 15_000;

/** openBalancer listens. It never looks into the bytes: TLS is between client and API server. Throws system errors. */
export async function openBalancer(options: BalancerOptions): Promise<Balancer> {
  const { own, connectMs = CONNECT_MS, connections = CONNECTIONS } = options;
  let servers: readonly string[] = [];
  let turn = 0;
  const states = new Map<string, ServerState>();
  const upstreams = new Map<string, Set<Socket>>();
  const clients = new Set<Socket>();
  const healthOf = (server: string): Health => (states.get(server) ?? UNSEEN).health;
  const cut = (server: string) => {
    for (const socket of upstreams.get(server) ?? []) socket.destroy();
  };
  const observe = (server: string, sight: Sight) => {
    if (!servers.includes(server)) return;
    const before = states.get(server) ?? UNSEEN;
    const after = nextState(before, sight);
    states.set(server, after);
    // Without a better place to go, a slow server is better than none.
    const isBetter = (other: string) => other !== server && healthOf(other) === 'ready';
    if (after.health === 'dead' && before.health !== 'dead' && servers.some(isBetter)) cut(server);
  };
  const forward = async (client: Socket) => {
    for (const server of orderServers(servers, healthOf, { own, turn: turn++ })) {
      const upstream = await dial(server, connectMs);
      if (!upstream || client.destroyed) {
        upstream?.destroy();
        if (client.destroyed) return;
        observe(server, 'refused');
        continue;
      }
      observe(server, 'connected');
      // The list may have changed while it was dialled.
      if (!servers.includes(server)) {
        upstream.destroy();
        continue;
      }
      const open = upstreams.get(server) ?? new Set();
      upstreams.set(server, open.add(upstream));
      upstream.once('close', () => open.delete(upstream));
      join(client, upstream);
      return;
    }
    client.destroy();
  };
  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
    clients.add(client);
    client.on('error', () => client.destroy());
    client.once('close', () => clients.delete(client));
    client.setKeepAlive(true, KEEPALIVE_MS);
    void forward(client);
  });
  listener.maxConnections = connections;
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen({ host: '127.0.0.1', port: options.port }, () => {
      listener.off('error', reject);
      resolve();
    });
  });
  const address = listener.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : options.port,
    servers: () => servers,
    setServers(wanted) {
      const usable = usableServers(wanted);
      if (usable.length === 0) return false;
      const gone = servers.filter((server) => !usable.includes(server));
      servers = usable;
      for (const server of gone) {
        states.delete(server);
        cut(server);
      }
      return true;
    },
    observe,
    healthOf,
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        for (const server of upstreams.keys()) cut(server);
        for (const client of clients) client.destroy();
      }),
  };
}

/** dial gives a connection to a server, undefined when it cannot be made in time. */
export function dial(server: string, connectMs: number): Promise<Socket | undefined> {
  const target = parseServer(server);
  if (!target) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const socket = connect({ ...target, allowHalfOpen: true, noDelay: true });
    const timer = setTimeout(() => done(undefined), connectMs);
    const done = (result: Socket | undefined) => {
      clearTimeout(timer);
      if (!result) socket.destroy();
      resolve(result);
    };
    socket.on('error', () => done(undefined));
    socket.once('connect', () => done(socket));
  });
}

/**
 * Joins two sockets. The end of one direction is passed on as that; the end of a socket ends the other once what it
 * still has to send is sent.
 */
function join(client: Socket, upstream: Socket): void {
  upstream.setKeepAlive(true, KEEPALIVE_MS);
  upstream.on('error', () => upstream.destroy());
  client.once('close', () => upstream.destroySoon());
  upstream.once('close', () => client.destroySoon());
  client.pipe(upstream);
  upstream.pipe(client);
  client.resume();
}
