import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionRequestOptions,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { TLSSocket } from 'node:tls';
import type { GrpcTransportOptions } from '@connectrpc/connect-node';
import { PlinthError } from '@plinth/base';
import { dialNode, type NodeTarget } from './dial-node.ts';
import { allowLateReader } from './late-reader.ts';
import { connectionError } from './rpc-error.ts';

type SessionManager = NonNullable<GrpcTransportOptions['sessionManager']>;

/** What all answers on a connection may have under way; each of the at most 16 has 64 KiB of its own. */
const CONNECTION_WINDOW_BYTES = 2 * 1024 * 1024;

/**
 * NodeSession is one HTTP/2 connection to a node, dialled at the first call and again after it was lost.
 * It exists because Node checks no fingerprint: the default manager would send a request before we could look.
 */
export class NodeSession implements SessionManager {
  readonly authority: string;
  readonly #target: NodeTarget;
  #session: Promise<ClientHttp2Session> | undefined;
  /** Those that take no new calls, and still have some under way. */
  readonly #leaving = new Set<ClientHttp2Session>();

  constructor(target: NodeTarget) {
    const host = target.address.includes(':') ? `[${target.address}]` : target.address;
    this.authority = `https://${host}:${target.port}`;
    this.#target = target;
  }

  async request(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    options: Omit<ClientSessionRequestOptions, 'signal'>,
  ): Promise<ClientHttp2Stream> {
    const session = await this.#live();
    // Its end may have come after the word that it is open.
    if (session.closed || session.destroyed) throw this.#left();
    const stream = session.request({ ...headers, ':method': method, ':path': path }, options);
    if (this.#target.openBytes) allowLateReader(stream);
    return stream;
  }

  notifyResponseByteRead(): void {}

  /**
   * Bytes that both ends of this TLS session can derive, and nobody between them (RFC 8446, section 7.5). A session that
   * was lost and dialled anew has others.
   */
  readonly exportKeys = async (
    lengthBytes: number,
    label: string,
    context: Uint8Array,
  ): Promise<Uint8Array> => {
    const { socket } = await this.#live();
    if (!(socket instanceof TLSSocket)) throw this.#left();
    return new Uint8Array(socket.exportKeyingMaterial(lengthBytes, label, Buffer.from(context)));
  };

  /** Ends the connection; a call in flight fails. */
  close(): void {
    const session = this.#session;
    this.#session = undefined;
    // Without a reason a call in flight would not hear of it, and wait for its own end.
    const end = (open: ClientHttp2Session) => open.destroy(this.#closed(), constants.NGHTTP2_CANCEL);
    session?.then(end, () => {}); // never opened: its caller has the error already
    for (const leaving of this.#leaving) end(leaving);
  }

  #live(): Promise<ClientHttp2Session> {
    if (this.#session) return this.#session;
    const opening = this.#open();
    this.#session = opening;
    const forget = () => {
      if (this.#session === opening) this.#session = undefined;
    };
    opening.then((session) => {
      session.once('close', forget);
      // A node that goes down finishes the calls it has, and takes no more here (RFC 9113, section 6.8).
      session.once('goaway', () => {
        forget();
        this.#leaving.add(session);
        session.once('close', () => this.#leaving.delete(session));
      });
    }, forget);
    return opening;
  }

  async #open(): Promise<ClientHttp2Session> {
    const socket = await dialNode(this.#target);
    const session = connect(this.authority, { createConnection: () => socket });
    // One answer that is read slowly must not use up what all calls of the connection share.
    session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
    return new Promise((resolve, reject) => {
      // What TLS refuses after the handshake, such as a client without a certificate, HTTP/2 never hears of.
      socket.once('error', (reason) => {
        reject(connectionError(reason, this.#target));
        session.destroy();
      });
      session.once('remoteSettings', () => resolve(session));
      session.on('error', (reason) => reject(connectionError(reason, this.#target)));
      // In TLS 1.3 the client is done before the server has judged its certificate: a refusal arrives only now,
      // as an alert or as a plain close.
      session.once('close', () => reject(this.#refused()));
    });
  }

  #closed(): PlinthError {
    const { address, port } = this.#target;
    return new PlinthError(
      'api/failed',
      `Cannot go on with ${address}:${port}: the connection was closed here`,
    );
  }

  #left(): PlinthError {
    const { address, port } = this.#target;
    return new PlinthError(
      'api/unreachable',
      `Cannot call ${address}:${port}: the connection ended before the call went out`,
      { retryable: true },
    );
  }

  #refused(): PlinthError {
    const { address, port } = this.#target;
    return new PlinthError(
      'api/forbidden',
      `Cannot call ${address}:${port}: it closed the connection when it saw the client certificate, expected one of an authority it knows that is valid by its own clock`,
    );
  }
}
