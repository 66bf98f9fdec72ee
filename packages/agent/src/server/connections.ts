import { constants, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';

/** How many connections a server holds. */
export interface ConnectionLimits {
  /** With a client that has proven who it is. */
  readonly sessions: number;
  /** Of one client. */
  readonly perClient: number;
  /** Without: in the handshake, or not yet speaking. */
  readonly strangers: number;
  /** Of one address. */
  readonly strangersPerAddress: number;
}

/** What of a session the choice below looks at. */
export interface SessionState {
  readonly client: string;
  /** Calls at work. */
  readonly calls: number;
  readonly lastUsedMs: number;
}

/**
 * chooseToEnd says which sessions have to go so that a new one of `client` has room: of its own too many the one that was idle
 * longest, else of the client with the most sessions. A session with a call at work goes only for another of the same client.
 * Undefined: nobody may go, the new one is refused.
 */
export function chooseToEnd<S extends SessionState>(
  sessions: readonly S[],
  client: string,
  limits: Pick<ConnectionLimits, 'sessions' | 'perClient'>,
): readonly S[] | undefined {
  const own = sessions.filter((each) => each.client === client);
  if (own.length >= limits.perClient) return oneOf(own.filter(({ calls }) => calls === 0));
  if (sessions.length < limits.sessions) return [];
  const counts = new Map<string, number>();
  for (const each of sessions) counts.set(each.client, (counts.get(each.client) ?? 0) + 1);
  const idle = sessions.filter(({ calls }) => calls === 0);
  const most = Math.max(0, ...idle.map((each) => counts.get(each.client) ?? 0));
  return oneOf(idle.filter((each) => counts.get(each.client) === most));
}

function oneOf<S extends SessionState>(candidates: readonly S[]): readonly S[] | undefined {
  const [first, ...others] = candidates;
  if (!first) return undefined;
  return [others.reduce((oldest, each) => (each.lastUsedMs < oldest.lastUsedMs ? each : oldest), first)];
}

export interface ConnectionOptions {
  readonly limits?: ConnectionLimits;
  /** How long a connection may be silent. */
  readonly idleLimitMs: number;
  /** Names the client of a session. */
  readonly clientOf: (session: ServerHttp2Session) => string;
}

/**
 * Most is what the budget of memory allows: an idle connection takes some 100 KiB. The bound on one client is far above what
 * a person needs, and so low that 16 hostile ones cannot take all places.
 */
const LIMITS: ConnectionLimits = { sessions: 512, perClient: 32, strangers: 128, strangersPerAddress: 64 };

interface Tracked extends SessionState {
  readonly session: ServerHttp2Session;
  calls: number;
  lastUsedMs: number;
}

/** keepConnections bounds the connections of a server and gives its sessions. */
export function keepConnections(
  server: Http2SecureServer,
  { limits = LIMITS, idleLimitMs, clientOf }: ConnectionOptions,
): () => Iterable<ServerHttp2Session> {
  const tracked = new Map<ServerHttp2Session, Tracked>();
  limitStrangers(server, limits);
  server.on('session', (session) => {
    // A client that breaks the protocol or vanishes ends its own connection and nothing else.
    session.on('error', () => session.destroy());
    const own: Tracked = { session, client: clientOf(session), calls: 0, lastUsedMs: performance.now() };
    const leaving = chooseToEnd([...tracked.values()], own.client, limits);
    if (!leaving) {
      refuse(session);
      return;
    }
    for (const each of leaving) {
      // At once: it closes later, and must not be chosen a second time until then.
      tracked.delete(each.session);
      refuse(each.session);
    }
    tracked.set(session, own);
    session.once('close', () => tracked.delete(session));
    session.on('stream', (stream) => {
      own.calls++;
      stream.once('close', () => {
        own.calls--;
        own.lastUsedMs = performance.now();
      });
    });
    endWhenIdle(session, () => own.calls, idleLimitMs);
  });
  server.on('tlsClientError', () => {}); // a client without an accepted certificate: refused, nothing to do
  return () => tracked.keys();
}

function refuse(session: ServerHttp2Session): void {
  session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
}

/**
 * Ends a connection that nothing is asked on. One with a call at work may be silent for long (etcd writes its file anew,
 * a layer is checked): it ends when its client does not answer a ping either. Calls have limits of their own.
 */
function endWhenIdle(session: ServerHttp2Session, calls: () => number, idleLimitMs: number): void {
  let pinged = false;
  session.on('timeout', () => {
    if (calls() === 0 || pinged) {
      session.destroy();
      return;
    }
    pinged = true;
    session.ping(() => {
      pinged = false;
    });
    session.setTimeout(idleLimitMs);
  });
  session.setTimeout(idleLimitMs);
}

/**
 * Bounds the connections that have not shown a certificate yet: whoever opens many and says nothing shuts out neither other
 * addresses nor clients that are connected. The oldest goes, for an honest handshake takes milliseconds.
 */
function limitStrangers(server: Http2SecureServer, limits: ConnectionLimits): void {
  const strangers = new Map<string, { readonly socket: Socket; readonly address: string }>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const all = [...strangers.values()];
    const same = all.filter((other) => other.address === address);
    const [oldest] = same.length >= limits.strangersPerAddress ? same : all;
    if (same.length >= limits.strangersPerAddress || all.length >= limits.strangers) oldest?.socket.destroy();
    const key = keyOf(socket);
    strangers.set(key, { socket, address });
    socket.once('close', () => {
      if (strangers.get(key)?.socket === socket) strangers.delete(key);
    });
  });
  server.on('secureConnection', (socket) => strangers.delete(keyOf(socket)));
}

function keyOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`;
}
