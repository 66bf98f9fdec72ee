import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { ClientCredentials } from '../../testing/authority.ts';

/** dialRaw opens a TLS connection to a node on this machine, whoever it is. @param credentials absent: without a certificate */
export function dialRaw(port: number, credentials?: ClientCredentials): TLSSocket {
  return connectTls({
    ...{ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'] },
    ...(credentials && { cert: credentials.certificatePem, key: credentials.keyPem }),
  });
}

/** openSession speaks HTTP/2 to a node on this machine. */
export function openSession(port: number, credentials?: ClientCredentials): ClientHttp2Session {
  return connectHttp2('https://127.0.0.1', { createConnection: () => dialRaw(port, credentials) });
}

/** openCall begins a gRPC call; nothing of its message is sent. @param method "NodeService/GetHealth" */
export function openCall(
  client: ClientHttp2Session,
  method: string,
  headers: Readonly<Record<string, string>> = {},
): ClientHttp2Stream {
  return client.request({
    ':method': 'POST',
    ':path': `/plinth.node.v1.${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
}

/** envelope puts a message into the frame of gRPC. */
export function envelope(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** ended gives the gRPC status of a call, or how its stream broke. */
export function ended(stream: ClientHttp2Stream): Promise<string> {
  return new Promise((resolve) => {
    let status = '';
    const note = (headers: Readonly<Record<string, unknown>>) => {
      status = String(headers['grpc-status'] ?? status);
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('error', (reason) => resolve(String(reason)));
    stream.on('close', () => resolve(status));
  });
}
