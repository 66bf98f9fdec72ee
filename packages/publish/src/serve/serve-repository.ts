import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf, PlinthError } from '@plinth/base';
import { isErrno } from '@plinth/host';
import { type Answered, answer } from './answer.ts';

export interface ServeOptions {
  readonly repoDir: string;
  /** Default: 127.0.0.1, which only this machine reaches. */
  readonly host?: string;
  /** Default: one that is free. */
  readonly port?: number;
  /** Called for each request when it is over; `problem` when it broke off. */
  readonly onAnswered?: (answered: Answered | { readonly problem: string }) => void;
}

/** A server that runs until it is closed. */
export interface RunningServer extends AsyncDisposable {
  /** "http://127.0.0.1:8080" */
  readonly url: string;
  /** Ends open connections and the server. */
  close(): Promise<void>;
}

const CONNECTIONS_LIMIT = 256;
const HEADERS_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;

/**
 * serveRepository serves a repository over plain HTTP, for a laptop: what it sends is signed, so the transport need not be. Any
 * web server that knows ranges does the same.
 * @throws publish/cannot-serve when the address cannot be listened at
 */
export async function serveRepository(options: ServeOptions): Promise<RunningServer> {
  const { repoDir, host = '127.0.0.1', port = 0, onAnswered } = options;
  const server = createServer(
    { maxHeaderSize: 8 * 1024, headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: HEADERS_TIMEOUT_MS },
    (request, response) => {
      answer(repoDir, request, response).then(
        (answered) => onAnswered?.(answered),
        (reason: unknown) => {
          // The reader hung up, or the file cannot be read: what was promised cannot be kept, so the connection ends.
          response.destroy();
          onAnswered?.({ problem: messageOf(reason) });
        },
      );
    },
  );
  server.maxConnections = CONNECTIONS_LIMIT;
  server.timeout = IDLE_TIMEOUT_MS;
  const { port: bound } = await listen(server, host, port);
  const name = host.includes(':') ? `[${host}]` : host;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://${name}:${bound}`, close, [Symbol.asyncDispose]: close };
}

function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (reason) => {
      const state = isErrno(reason, 'EADDRINUSE') ? 'something else listens there' : messageOf(reason);
      reject(
        new PlinthError(
          'publish/cannot-serve',
          `Cannot serve at ${host} port ${port}: ${state}, expected a free address of this machine`,
          { cause: reason },
        ),
      );
    });
    server.listen(port, host, () => {
      const address = server.address();
      if (address !== null && typeof address === 'object') resolve(address);
    });
  });
}
