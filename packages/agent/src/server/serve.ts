import { constants } from 'node:crypto';
import { createSecureServer, type Http2SecureServer, type Http2ServerRequest } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type PeerCertificate, TLSSocket } from 'node:tls';
import { type ConnectRouter, createContextValues } from '@connectrpc/connect';
import { errorCode } from '../sys/sys.ts';
import { rpcHandler } from './adapter.ts';
import type { AuditSink } from './audit.ts';
import type { RateLimits } from './call-rate.ts';
import {
  type Caller,
  type CallerVerdict,
  callerKey,
  identifyCaller,
  peerKey,
  STRANGER,
  strangerAt,
} from './caller.ts';
import { sessionKey } from './client-reach.ts';
import { type ConnectionLimits, keepConnections } from './connections.ts';
import { type AccessRules, openGuard } from './guard.ts';

export interface ServeOptions {
  readonly port: number;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** Authorities whose client certificates are accepted, PEM; "strangers": callers come without a certificate, and share a role. */
  readonly clientAuthoritiesPem: readonly string[] | 'strangers';
  /** Whether callers without a certificate may come too, in a role of their own; default: they do not get past the handshake. */
  readonly admitsStrangers?: boolean;
  readonly routes: (router: ConnectRouter) => void;
  readonly audit: AuditSink;
  readonly nowMs: () => number;
  /** Why a caller with a valid certificate is not accepted; undefined when it is. Asked at each call, and by recheck. */
  readonly refuses?: (caller: Caller) => string | undefined;
  /** Roles beside the built-in ones; default: none. */
  readonly rules?: AccessRules;
  /** See AdapterOptions. */
  readonly instead?: string;
  /** How many calls one client may make; default: far more than people do. */
  readonly rate?: RateLimits;
  /** How many connections there may be; default: what the budget of memory allows. */
  readonly connections?: ConnectionLimits;
  /** Address to listen on; default: all. */
  readonly bindAddress?: string | undefined;
  /** How long a connection may be silent. */
  readonly idleLimitMs?: number;
  /** How long a client may take to send its message, or to read the next piece of an answer. */
  readonly stallLimitMs?: number;
}

/** A listening server. */
export interface Listener {
  readonly port: number;
  /** Ends the connections whose certificate is no longer accepted, with their calls; gives how many. */
  recheck(): number;
  /** Stops listening and ends all connections. */
  close(): Promise<void>;
}

const HANDSHAKE_LIMIT_MS = 10_000;
const IDLE_LIMIT_MS = 120_000;
const STALL_LIMIT_MS = 60_000;
const RECHECK_MS = 30_000;
/** Above what the guard gives one client, so that streams do not hold brief calls up in the client itself. */
const STREAMS_PER_CONNECTION = 48;
const HEADER_LIMIT_BYTES = 16 * 1024;

/**
 * serve listens for gRPC over TLS 1.3; a client without a certificate of a known authority does not get past the
 * handshake. Throws system errors such as EADDRINUSE.
 */
export async function serve(options: ServeOptions): Promise<Listener> {
  const server = createSecureServer(
    {
      minVersion: 'TLSv1.3',
      cert: options.certificatePem,
      key: options.privateKeyPem,
      ...clientCertificates(options),
      handshakeTimeout: HANDSHAKE_LIMIT_MS,
      // A resumed session would skip the look at the client certificate.
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
      allowHTTP1: false,
      maxSessionMemory: 4, // MiB, of each connection
      maxHeaderListPairs: 64,
      settings: {
        enablePush: false,
        maxConcurrentStreams: STREAMS_PER_CONNECTION,
        maxHeaderListSize: HEADER_LIMIT_BYTES,
      },
    },
    handler(options),
  );
  const isDoor = options.clientAuthoritiesPem === 'strangers';
  const sessions = keepConnections(server, {
    ...(options.connections && { limits: options.connections }),
    idleLimitMs: options.idleLimitMs ?? IDLE_LIMIT_MS,
    clientOf: ({ socket }) => {
      const verdict = judge(socket, options);
      // Whoever is refused each call shares the places of the nameless, and so do strangers where others call as well.
      return verdict.ok && (isDoor || verdict.caller.role !== STRANGER) ? verdict.caller.commonName : '';
    },
  });
  const recheck = () => {
    const refused = [...sessions()].filter((session) => !judge(session.socket, options).ok);
    for (const session of refused) session.destroy();
    return refused.length;
  };
  // A certificate may expire under a connection that follows a log for days.
  const expiries = setInterval(recheck, RECHECK_MS);
  await listen(server, options);
  return {
    port: boundPort(server),
    recheck,
    close: () =>
      new Promise((resolve) => {
        clearInterval(expiries);
        server.close(() => resolve());
        for (const session of sessions()) session.destroy();
      }),
  };
}

function clientCertificates({ clientAuthoritiesPem, admitsStrangers }: ServeOptions) {
  if (clientAuthoritiesPem === 'strangers') return { requestCert: false };
  return { ca: [...clientAuthoritiesPem], requestCert: true, rejectUnauthorized: admitsStrangers !== true };
}

/** Who a connection is from, now. */
function judge(socket: unknown, options: ServeOptions): CallerVerdict {
  const { nowMs, refuses, rules, clientAuthoritiesPem } = options;
  if (clientAuthoritiesPem === 'strangers')
    return strangerAt(isTls(socket) ? socket.remoteAddress : undefined);
  const certificate = isTls(socket) && !socket.destroyed ? certificateOf(socket) : undefined;
  if (options.admitsStrangers && isTls(socket) && !socket.destroyed && !socket.authorized) {
    // Without a certificate there is an object without anything in it.
    if (certificate?.raw === undefined) return strangerAt(socket.remoteAddress);
    return {
      ok: false,
      commonName: '',
      reason: `the certificate is not accepted (${socket.authorizationError})`,
    };
  }
  const verdict = identifyCaller(
    certificate,
    nowMs(),
    rules?.roles.map(({ name }) => name),
  );
  const reason = verdict.ok ? refuses?.(verdict.caller) : undefined;
  if (!verdict.ok || reason === undefined) return verdict;
  return { ok: false, commonName: verdict.caller.commonName, reason };
}

/**
 * Certificates by their connections: with TLS 1.3 and without post-handshake authentication a client shows one, once. What is thought of
 * it (dates, revocations, roles) is asked anew at each call.
 */
const shown = new WeakMap<TLSSocket, PeerCertificate>();

/** certificateOf spares each call the reading of the certificate, which was a part of what every brief call cost. */
function certificateOf(socket: TLSSocket): PeerCertificate {
  const known = shown.get(socket);
  if (known) return known;
  const certificate = socket.getPeerCertificate();
  // Without a certificate there is an object without anything in it, and before the end of a handshake too.
  if (certificate.raw !== undefined) shown.set(socket, certificate);
  return certificate;
}

function handler(options: ServeOptions) {
  const { routes, audit, nowMs, stallLimitMs = STALL_LIMIT_MS } = options;
  return rpcHandler({
    routes,
    instead: options.instead,
    guard: openGuard(audit, nowMs, options.rules, options.rate),
    stallLimitMs,
    contextValues: (request) => {
      const socket = tlsSocketOf(request);
      const peer = `${socket?.remoteAddress ?? ''}:${socket?.remotePort ?? ''}`;
      return createContextValues()
        .set(callerKey, judge(socket, options))
        .set(peerKey, peer)
        .set(sessionKey, request.stream.session);
    },
  });
}

/** The TLS socket below the request: handlers of the RPC library see headers only. */
function tlsSocketOf(request: Http2ServerRequest): TLSSocket | undefined {
  const socket = request.stream.session?.socket;
  return isTls(socket) ? socket : undefined;
}

/** HTTP/2 gives a proxy of the socket, which is of its class. */
function isTls(socket: unknown): socket is TLSSocket {
  return socket instanceof TLSSocket;
}

/** Listens on all addresses of both families, or of IPv4 alone where the kernel has no IPv6. */
async function listen(server: Http2SecureServer, { port, bindAddress }: ServeOptions): Promise<void> {
  if (bindAddress !== undefined) return listenOn(server, port, bindAddress);
  try {
    await listenOn(server, port, '::');
  } catch (reason) {
    if (errorCode(reason) !== 'EAFNOSUPPORT' && errorCode(reason) !== 'EADDRNOTAVAIL') throw reason;
    await listenOn(server, port, '0.0.0.0');
  }
}

function listenOn(server: Http2SecureServer, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function boundPort(server: Http2SecureServer): number {
  const address: AddressInfo | string | null = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}
