import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '@plinth/base';

export interface ObserverParts {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  metrics(): string;
  /** Why it does not live; undefined when it does. */
  whyDead(): string | undefined;
  /** Why it is not ready; undefined when it is. */
  whyNotReady(): string | undefined;
}

/** serveObserver answers /metrics, /healthz and /readyz. There is nothing to be changed over it, and nothing secret. */
export async function serveObserver(
  parts: ObserverParts,
): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer(
    { requestTimeout: 5_000, headersTimeout: 5_000, maxHeaderSize: 8192 },
    (request, response) => {
      const say = (status: number, text: string) =>
        response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
      const state = (why: string | undefined) => say(why === undefined ? 200 : 503, `${why ?? 'ok'}\n`);
      if (request.method !== 'GET') return say(405, 'only GET\n');
      switch (request.url) {
        case '/metrics':
          return told(parts.metrics, say);
        case '/healthz':
          return state(parts.whyDead());
        case '/readyz':
          return state(parts.whyNotReady());
        default:
          return say(404, 'metrics, healthz, readyz\n');
      }
    },
  );
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(parts.port, parts.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Who asks for figures must not be able to end who leads. */
function told(metrics: () => string, say: (status: number, text: string) => void): void {
  let text: string;
  try {
    text = metrics();
  } catch (reason) {
    say(500, `${messageOf(reason)}\n`);
    return;
  }
  say(200, text);
}
