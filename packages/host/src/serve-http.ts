import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf, PlinthError } from '@plinth/base';
import { isErrno } from './process.ts';

/** One request as it was answered, for a line of a log. */
export interface Answered {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly sentBytes: number;
}

/** Where to serve, and who hears of it. */
export interface ServeOptions {
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
 * serveHttp serves over plain HTTP, for what is signed and needs no safe transport. Readers are limited in number, in the size of what they
 * say and in how long they may take.
 * @param answer one request; when it rejects, what was promised cannot be kept, and the connection ends
 * @throws host/cannot-serve when the address cannot be listened at
 */
export async function serveHttp(
  { host = '127.0.0.1', port = 0, onAnswered }: ServeOptions,
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<Answered>,
): Promise<RunningServer> {
  const server = createServer(
    { maxHeaderSize: 8 * 1024, headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: HEADERS_TIMEOUT_MS },
    (request, response) => {
      answer(request, response).then(
        (answered) => onAnswered?.(answered),
        (reason: unknown) => {
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
          'host/cannot-serve',
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
