import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { HOST_SEEN_BY_GUEST } from './guest-network.ts';
import { makeRegistryCertificate } from './registry-certificate.ts';

/** A registry on this computer that machines reach, with the image of one OCI archive. */
export interface ArchiveRegistry extends AsyncDisposable {
  /** The image as machines call it, by its digest. */
  readonly image: string;
  /** The document of kind Registries that machines need for it. */
  readonly document: object;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
}

/**
 * serveArchive serves the image of an OCI archive over TLS on loopback, by the OCI distribution specification as far as a
 * pull by digest needs it: a blob a digest, and the manifest.
 */
export async function serveArchive(archive: string, folder: string): Promise<ArchiveRegistry> {
  const layout = join(folder, 'layout');
  await mkdir(layout, { recursive: true });
  execFileSync('tar', ['-xf', archive, '-C', layout]);
  const index: { manifests: Descriptor[] } = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8'));
  const [manifest] = index.manifests;
  if (!manifest) throw new Error(`${archive} holds no image`);
  const tls = await makeRegistryCertificate(join(folder, 'registry'));
  const server = createServer(tls, (request, response) => {
    const [, digest] =
      /^\/v2\/plinth\/image\/(?:manifests|blobs)\/(sha256:[0-9a-f]{64})$/.exec(request.url ?? '') ?? [];
    const path = join(layout, 'blobs', (digest ?? 'none').replace(':', '/'));
    stat(path).then(
      async ({ size }) => {
        response.writeHead(200, {
          'content-type': digest === manifest.digest ? manifest.mediaType : 'application/octet-stream',
          'content-length': size,
          'docker-content-digest': digest,
        });
        if (request.method === 'HEAD') response.end();
        // A client that goes away in the middle will come back.
        else await pipeline(createReadStream(path), response).catch(() => response.destroy());
      },
      () => response.writeHead(request.url === '/v2/' ? 200 : 404).end('{}'),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `${HOST_SEEN_BY_GUEST}:${(server.address() as AddressInfo).port}`;
  return {
    image: `${host}/plinth/image@${manifest.digest}`,
    document: { kind: 'Registries', registries: [{ host, certificateAuthority: tls.cert }] },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
