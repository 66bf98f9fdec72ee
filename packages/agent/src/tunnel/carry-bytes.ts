import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { PlinthError } from '@plinth/base';

/** Bounds on one tunnel. It holds at most some 300 KiB: windows of HTTP/2 and buffers of both sockets. */
export interface TunnelLimits {
  /** Until the client has named the peer, and until the peer is connected. */
  readonly openMs: number;
  /** Without a byte either way; a connection of the API has a ping at least every two minutes. */
  readonly idleMs: number;
}

export const TUNNEL_LIMITS: TunnelLimits = { openMs: 10_000, idleMs: 5 * 60_000 };

/** Where a tunnel leads. */
export interface TunnelEnd {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/**
 * connectPeer opens the connection to the far node. @throws tunnel/peer-unreachable
 */
export async function connectPeer(
  end: TunnelEnd,
  limits: TunnelLimits,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = connect({ host: end.address, port: end.port, noDelay: true, allowHalfOpen: true });
  // The listener stays: an error of a connection nobody reads any more must not end the process.
  socket.on('error', () => {});
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  socket.setTimeout(limits.openMs, () => socket.destroy(new Error(`no answer after ${limits.openMs} ms`)));
  try {
    signal.throwIfAborted();
    await once(socket, 'connect', { signal });
  } catch (reason) {
    socket.destroy();
    const state = reason instanceof Error ? reason.message : 'no connection';
    throw new PlinthError(
      'tunnel/peer-unreachable',
      `Cannot reach node ${end.name} at ${end.address}:${end.port}: ${state}, expected its API`,
      { retryable: true },
    );
  }
  socket.removeAllListeners('timeout');
  socket.setTimeout(limits.idleMs, () => socket.destroy(new Error(`no byte for ${limits.idleMs} ms`)));
  return socket;
}

/**
 * carryBytes sends what comes from the client to the socket and gives what comes from the socket, until the far side has
 * ended or either breaks. A side that does not take its bytes holds the other: no more than one piece waits in between.
 * Throws what broke; the socket is destroyed in any case.
 */
export async function* carryBytes(
  fromClient: AsyncIterable<Uint8Array>,
  socket: Socket,
): AsyncGenerator<Uint8Array> {
  send(fromClient, socket).catch((reason: unknown) => {
    // What is read from the socket ends with it, and says why.
    socket.destroy(reason instanceof Error ? reason : new Error('the client broke off'));
  });
  try {
    for await (const chunk of socket) yield chunk;
  } finally {
    socket.destroy();
  }
}

async function send(fromClient: AsyncIterable<Uint8Array>, socket: Socket): Promise<void> {
  for await (const chunk of fromClient) {
    if (chunk.length === 0) continue;
    if (!socket.write(chunk)) await drained(socket);
  }
  socket.end();
}

/** Waits until the socket takes more; rejects when it is closed instead. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.destroyed) return reject(new Error('the connection is closed'));
    const settle = (finish: () => void) => () => {
      socket.off('drain', onDrain);
      socket.off('close', onClose);
      finish();
    };
    const onDrain = settle(resolve);
    const onClose = settle(() => reject(new Error('the connection is closed')));
    socket.on('drain', onDrain);
    socket.on('close', onClose);
  });
}
