import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MetadataService } from '../services.ts';

/** What the fake does instead of its work, for one request. */
export type Trouble =
  | 'silent'
  | 'hangs up'
  | 'cut off'
  | 'drips'
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };

export interface FakeMetadataOptions {
  /** As it would be uploaded; undefined: the machine was made without. */
  readonly userData?: string | Uint8Array;
  /** For the requests in turn; after them it works. */
  readonly troubles?: readonly Trouble[];
  /** Whether the cloud has no ports below 1024 to tell root by, as in a test that is not root. */
  readonly anyPort?: boolean;
}

/** A metadata service on the loopback. */
export interface FakeMetadata extends AsyncDisposable {
  /** The entry of the table, leading here. */
  readonly service: MetadataService;
  /** "METHOD path" of what was asked, in turn. */
  readonly asked: readonly string[];
}

const TOKEN = 'AQAEAJJ3vKfake-token==';

/**
 * startMetadata is a server of the shape that was recorded of a cloud: the same path, headers, token and encoding, and
 * the same refusals of a request that lacks one of them.
 */
export async function startMetadata(
  service: MetadataService,
  { userData, troubles = [], anyPort = false }: FakeMetadataOptions = {},
): Promise<FakeMetadata> {
  const asked: string[] = [];
  const left = [...troubles];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const trouble = left.shift();
    if (trouble !== undefined) return misbehave(trouble, response);
    const { status, body = '' } = answer(service, userData, anyPort, request);
    const [name, value] = service.answersWith ?? [];
    response.writeHead(status, name === undefined || value === undefined ? {} : { [name]: value });
    response.end(body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    service: { ...service, tls: false, host: '127.0.0.1', port },
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function answer(
  service: MetadataService,
  userData: string | Uint8Array | undefined,
  anyPort: boolean,
  { method, url, headers, socket }: IncomingMessage,
): { readonly status: number; readonly body?: string | Uint8Array } {
  const has = (wanted: Readonly<Record<string, string>>) =>
    Object.entries(wanted).every(([name, value]) => headers[name] === value);
  if (service.fromLowPort && !anyPort && (socket.remotePort ?? 0) >= 1024) return { status: 403 };
  const { token } = service;
  if (token && url === token.path)
    return method === 'PUT' && has(token.headers) ? { status: 200, body: TOKEN } : { status: 400 };
  if (url !== service.path) return { status: 404 };
  if (token && headers[token.sentIn] !== TOKEN) return { status: 401 };
  if (!has(service.headers)) return { status: service.name === 'oracle' ? 403 : 400 };
  if (userData === undefined) return { status: service.name === 'azure' ? 200 : 404 };
  const isPlain = service.encoding === 'plain';
  return { status: 200, body: isPlain ? userData : Buffer.from(userData).toString('base64') };
}

function misbehave(trouble: Trouble, response: ServerResponse): void {
  if (trouble === 'silent') return;
  if (trouble === 'hangs up') {
    response.destroy();
  } else if (trouble === 'cut off') {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('half of it');
    setTimeout(() => response.destroy(), 20);
  } else if (trouble === 'drips') {
    response.writeHead(200);
    const timer = setInterval(() => response.write('x'), 20);
    response.once('close', () => clearInterval(timer));
  } else {
    response.writeHead(trouble.status, trouble.headers);
    response.end(trouble.body);
  }
}
