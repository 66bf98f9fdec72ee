import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ImageIndex } from './write-images.ts';

// A program: serve-images.ts FOLDER PORT. Serves what write-images.ts wrote on loopback, under the names of all
// registries, by the OCI distribution specification as far as a pull needs it. A runtime that was told to ask here for
// another registry says which one in the parameter `ns`.

const [folder = '', port = ''] = process.argv.slice(2);
const index: ImageIndex = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8'));
const manifests = new Set(Object.values(index.names));

createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const [, repository = '', kind, name = ''] =
    /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(pathname) ?? [];
  const isDigest = /^sha256:[0-9a-f]{64}$/.test(name);
  const digest =
    kind === 'manifests' && !isDigest ? index.names[`${searchParams.get('ns')}/${repository}:${name}`] : name;
  const path = join(folder, 'blobs', isDigest || digest !== name ? (digest ?? 'none') : 'none');
  stat(path).then(
    async ({ size }) => {
      const type = manifests.has(digest ?? '')
        ? 'application/vnd.oci.image.manifest.v1+json'
        : 'application/octet-stream';
      response.writeHead(200, {
        'content-type': type,
        'content-length': size,
        'docker-content-digest': digest,
      });
      if (request.method === 'HEAD') response.end();
      // A runtime may stop in the middle of a pull.
      else await pipeline(createReadStream(path), response).catch(() => response.destroy());
    },
    () => response.writeHead(pathname === '/v2/' ? 200 : 404).end('{}'),
  );
}).listen(Number(port), '127.0.0.1');
