import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** How a registry of the tests asks who is there. */
export interface RegistryOptions {
  /** Name in its certificate; it listens on 127.0.0.1. */
  readonly name: string;
  /** The images it has: "team/app". */
  readonly images: readonly string[];
  /** Where its API is; default "/v2". */
  readonly root?: string;
  readonly user?: { readonly username: string; readonly password: string };
  /** Basic: with each request. Bearer: a token, for which the user is asked. Default Basic. */
  readonly asks?: 'Basic' | 'Bearer';
}

/** A registry on this machine with a certificate that vouches for itself; it has one image of one empty layer. */
export interface TestRegistry extends AsyncDisposable {
  readonly port: number;
  readonly certificatePem: string;
  /** "200 GET /v2/team/app/manifests/1", in order. */
  readonly calls: string[];
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const TOKEN = 'a-token-of-the-test';

/** startRegistry serves the read half of the OCI Distribution Specification 1.1. @param folder for key and certificate */
export async function startRegistry(folder: string, options: RegistryOptions): Promise<TestRegistry> {
  const { name, images, root = '/v2', asks = 'Basic', user } = options;
  const keyFile = join(folder, `${name}.key`);
  const certificateFile = join(folder, `${name}.pem`);
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', '2'],
      ...['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name},IP:127.0.0.1`],
      ...['-keyout', keyFile, '-out', certificateFile],
    ],
    { stdio: 'pipe' },
  );
  const certificatePem = readFileSync(certificateFile, 'utf8');
  const calls: string[] = [];
  const { manifest, blobs } = emptyImage();
  const basic = user && `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`;

  function answer(request: IncomingMessage): { status: number; type?: string; body?: Buffer; ask?: string } {
    const path = new URL(request.url ?? '/', 'https://registry').pathname;
    const { authorization } = request.headers;
    if (path === '/token') {
      if (authorization !== basic) return { status: 401 };
      return { status: 200, type: 'application/json', body: Buffer.from(JSON.stringify({ token: TOKEN })) };
    }
    if (basic && authorization !== (asks === 'Basic' ? basic : `Bearer ${TOKEN}`)) {
      const realm = `https://${name}:${port}/token`;
      return {
        status: 401,
        ask: asks === 'Basic' ? 'Basic realm="test"' : `Bearer realm="${realm}",service="test"`,
      };
    }
    if (path === `${root}/`) return { status: 200 };
    const [, image = '', kind, reference = ''] =
      /^\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path.startsWith(root) ? path.slice(root.length) : '') ?? [];
    if (!images.includes(image)) return { status: 404 };
    if (kind === 'manifests') return { status: 200, type: MANIFEST, body: manifest };
    const body = blobs.get(reference);
    return body ? { status: 200, type: 'application/octet-stream', body } : { status: 404 };
  }

  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const { status, type, body, ask } = answer(request);
    calls.push(`${status} ${request.method} ${request.url}`);
    response.writeHead(status, {
      ...(ask ? { 'www-authenticate': ask } : {}),
      ...(type ? { 'content-type': type } : {}),
      ...(type === MANIFEST ? { 'docker-content-digest': digestOf(manifest) } : {}),
      'content-length': body?.length ?? 0,
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  const server = createServer({ key: readFileSync(keyFile), cert: certificatePem }, handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    certificatePem,
    calls,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function emptyImage() {
  // An archive without files: two blocks of zeros.
  const layer = Buffer.alloc(1024);
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  );
  const describe = (mediaType: string, bytes: Buffer) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: describe('application/vnd.oci.image.config.v1+json', config),
      layers: [describe('application/vnd.oci.image.layer.v1.tar', layer)],
    }),
  );
  return { manifest, blobs: new Map([config, layer].map((bytes) => [digestOf(bytes), bytes])) };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
