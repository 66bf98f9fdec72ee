import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { ClientCredentials } from '../../testing/authority.ts';

/** A server for syslog over TLS. */
export interface SyslogReceiver extends AsyncDisposable {
  readonly port: number;
  /** As they came, without their lengths. */
  readonly messages: string[];
}

/** receiveSyslog listens on 127.0.0.1. @param server its certificate */
export async function receiveSyslog(server: ClientCredentials, port = 0): Promise<SyslogReceiver> {
  const messages: string[] = [];
  const open = new Set<TLSSocket>();
  const listener = createServer({ key: server.keyPem, cert: server.certificatePem }, (socket) => {
    open.add(socket);
    let rest = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (piece: Buffer) => {
      rest = Buffer.concat([rest, piece]);
      for (;;) {
        const space = rest.indexOf(' ');
        const end = space + 1 + Number(rest.subarray(0, space).toString());
        if (space < 0 || rest.length < end) break;
        messages.push(rest.subarray(space + 1, end).toString());
        rest = rest.subarray(end);
      }
    });
  });
  listener.on('tlsClientError', () => {});
  listener.listen(port, '127.0.0.1');
  await once(listener, 'listening');
  return {
    messages,
    port: (listener.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
