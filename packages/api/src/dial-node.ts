import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type ConnectionOptions,
  connect,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { PlinthError } from '@plinth/base';
import { fingerprintOf, isFingerprint, isNodeId, nodeIdOf } from './fingerprint.ts';
import { connectionError } from './rpc-error.ts';

/** Where a node is, whom to expect there and as whom to come. */
export interface NodeTarget {
  /** IP address or host name. */
  readonly address: string;
  readonly port: number;
  /** Expected server certificate ("sha256:" and hex). Replaces every check by authority, host name and date. */
  readonly fingerprint?: string | undefined;
  /**
   * Expected node id: the name of the public key that the other side must prove to have, as GetIdentity and ListPeers
   * tell it. Like a fingerprint it replaces every other check; with both, both must hold.
   */
  readonly nodeId?: string | undefined;
  /** Opens the bytes that TLS goes over, a tunnel for instance; default: a TCP connection to address and port. */
  readonly openBytes?: ((timeoutMs: number) => Promise<Duplex>) | undefined;
  /** Authorities for the server certificate when no fingerprint is given; default: those of Node. */
  readonly serverAuthoritiesPem?: readonly string[] | undefined;
  /** As whom to come, with its key; absent: without a certificate, as to a node that waits for its first config. */
  readonly clientCertificatePem?: string | undefined;
  readonly clientKeyPem?: string | undefined;
  /** Bound on the dial, and on each call. */
  readonly timeoutMs: number;
}

/**
 * dialNode opens a TLS 1.3 connection and checks who answers before one byte of a request is sent.
 * @throws api/unreachable, api/timeout, api/identity-mismatch, api/bad-credentials, api/protocol, api/forbidden
 */
export async function dialNode(target: NodeTarget): Promise<TLSSocket> {
  const bytes = await target.openBytes?.(target.timeoutMs);
  const socket = startTls(target, bytes);
  try {
    await secured(socket, target.timeoutMs);
    checkIdentity(socket, target);
    return socket;
  } catch (reason) {
    socket.destroy();
    bytes?.destroy();
    throw connectionError(reason, target);
  }
}

/**
 * seeFingerprint tells the fingerprint of whoever answers, for a person to compare with the node's console. It says nothing
 * about who that is, and nothing is sent.
 * @throws api/unreachable, api/timeout, api/protocol
 */
export async function seeFingerprint(
  where: Pick<NodeTarget, 'address' | 'port' | 'timeoutMs'>,
): Promise<string> {
  const socket = startTls(where, undefined, false);
  try {
    await secured(socket, where.timeoutMs);
    const certificate = socket.getPeerX509Certificate();
    if (certificate) return fingerprintOf(certificate.raw);
    throw new PlinthError(
      'api/protocol',
      `Cannot see who answers at ${where.address}: it shows no certificate`,
    );
  } catch (reason) {
    throw connectionError(reason, where);
  } finally {
    socket.destroy();
  }
}

/** @param verified whether an authority has to vouch for the node where nothing is pinned */
function startTls(target: NodeTarget, bytes: Duplex | undefined, verified = true): TLSSocket {
  if (target.fingerprint !== undefined && !isFingerprint(target.fingerprint)) {
    throw new PlinthError(
      'api/bad-credentials',
      `Cannot pin the node: fingerprint is "${target.fingerprint}", expected "sha256:" and 64 hexadecimal digits`,
    );
  }
  if (target.nodeId !== undefined && !isNodeId(target.nodeId)) {
    throw new PlinthError(
      'api/bad-credentials',
      `Cannot pin the node: its id is "${target.nodeId}", expected 32 hexadecimal digits`,
    );
  }
  const options: ConnectionOptions = {
    ...(bytes ? { socket: bytes } : { host: target.address, port: target.port }),
    secureContext: contextOf(target),
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['h2'],
    // A pinned certificate is checked by checkIdentity; it is self-signed, so no authority could vouch for it.
    rejectUnauthorized: verified && target.fingerprint === undefined && target.nodeId === undefined,
    ...(isIP(target.address) === 0 && { servername: target.address }),
  };
  return connect(options);
}

let latest: { readonly key: string; readonly context: SecureContext } | undefined;

/** One client comes to many nodes as the same: reading certificate and key is half of what a connection costs. */
function contextOf({ clientCertificatePem, clientKeyPem, serverAuthoritiesPem }: NodeTarget): SecureContext {
  const key = JSON.stringify([clientCertificatePem, clientKeyPem, serverAuthoritiesPem]);
  if (latest?.key === key) return latest.context;
  try {
    const context = createSecureContext({
      minVersion: 'TLSv1.3',
      ...(clientCertificatePem !== undefined && { cert: clientCertificatePem }),
      ...(clientKeyPem !== undefined && { key: clientKeyPem }),
      ...(serverAuthoritiesPem && { ca: [...serverAuthoritiesPem] }),
    });
    latest = { key, context };
    return context;
  } catch (reason) {
    throw PlinthError.from(reason, 'api/bad-credentials', 'Cannot use the client certificate and key');
  }
}

function secured(socket: TLSSocket, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new PlinthError('api/timeout', `Cannot reach the node: no TLS session after ${timeoutMs} ms`));
    }, timeoutMs);
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      finish();
    };
    socket.once('secureConnect', () => settle(resolve));
    // The listener stays: an error after the handshake must not end the process.
    socket.on('error', (reason) => settle(() => reject(reason)));
    socket.once('close', () =>
      settle(() => reject(new Error('the connection was closed during the TLS handshake'))),
    );
  });
}

function checkIdentity(socket: TLSSocket, target: NodeTarget): void {
  if (socket.alpnProtocol !== 'h2') {
    throw new PlinthError(
      'api/protocol',
      `Cannot call ${target.address}:${target.port}: it does not speak HTTP/2, expected a Plinth node`,
    );
  }
  const certificate = socket.getPeerX509Certificate();
  requireSame(target, 'fingerprint', target.fingerprint, () => certificate && fingerprintOf(certificate.raw));
  requireSame(target, 'node id', target.nodeId, () => certificate && nodeIdOf(certificate.publicKey));
}

function requireSame(
  target: NodeTarget,
  what: string,
  expected: string | undefined,
  see: () => string | undefined,
): void {
  if (expected === undefined) return;
  const found = see() ?? 'no certificate';
  if (found === expected) return;
  throw new PlinthError(
    'api/identity-mismatch',
    `Cannot trust ${target.address}:${target.port}: its ${what} is ${found}, expected ${expected}`,
    { details: { found, expected } },
  );
}
