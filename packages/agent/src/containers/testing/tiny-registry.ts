import { createHash } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

/** A registry on loopback that has one image. */
export interface TinyRegistry extends AsyncDisposable {
  /** "127.0.0.1:PORT". */
  readonly host: string;
  /** Path of the image, "plinth/tiny". */
  readonly repository: string;
  /** Digest of its configuration: the image's id. */
  readonly imageId: string;
  readonly port: number;
  /** Digest of its manifest. */
  readonly digest: string;
  /** What was asked for, "GET /v2/…". */
  readonly asked: string[];
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** An image to be served: one layer and what its configuration says of the process. */
export interface ServedImage {
  /** "plinth/tiny". */
  readonly repository: string;
  /** A tar archive. */
  readonly layer: Uint8Array;
  /** As in the OCI image specification: Entrypoint, Env, User. */
  readonly config: object;
  /** In the middle of the layer. */
  readonly pauseMs?: number;
  /** Signs it, given the digest of its manifest; served where cosign puts signatures. Asked again each time. */
  readonly sign?: (digest: string) => readonly ServedSignature[];
}

/** What was signed, and the signature of it. */
export interface ServedSignature {
  readonly payload: Buffer;
  readonly signature: Buffer;
}

/** How it is served otherwise than on loopback in the clear. */
export interface RegistryOptions {
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly address?: string;
}

/**
 * startTinyRegistry serves one image by the OCI distribution specification: a manifest, a configuration and one layer,
 * which is sent slowly enough to be seen on its way. Its layer holds no program, so nothing of it can run.
 */
export function startTinyRegistry(layerBytes: number, pauseMs: number): Promise<TinyRegistry> {
  const tar = Buffer.alloc(Math.ceil(layerBytes / 512) * 512 + 1024);
  return serveImage({
    ...{ repository: 'plinth/tiny', config: {}, pauseMs },
    layer: fileInTar(tar, layerBytes),
  });
}

/** serveImage serves one image by the OCI distribution specification, by the tag 1 and by its digest. */
export async function serveImage(
  { repository, layer: tar, config: process, pauseMs = 0, sign = () => [] }: ServedImage,
  { tls, address = '127.0.0.1' }: RegistryOptions = {},
): Promise<TinyRegistry> {
  // Content that does not get smaller, or the layer would be over before anybody looked.
  const layer = gzipSync(tar, { level: 0 });
  const config = Buffer.from(
    JSON.stringify({
      ...{ architecture: 'amd64', os: 'linux', config: process },
      rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      ...{ schemaVersion: 2, mediaType: MANIFEST },
      config: descriptor('application/vnd.oci.image.config.v1+json', config),
      layers: [descriptor('application/vnd.oci.image.layer.v1.tar+gzip', layer)],
    }),
  );
  const blobs = new Map<string, Buffer>([config, layer].map((blob) => [digestOf(blob), blob]));
  const manifests = new Map([manifest].map((one) => [digestOf(one), one]));
  /** The manifest that is asked for, by a tag or its digest. */
  const manifestOf = (name: string) => {
    if (name === '1') return manifest;
    if (name !== `${digestOf(manifest).replace(':', '-')}.sig`) return manifests.get(name);
    const signatures = sign(digestOf(manifest));
    if (signatures.length === 0) return undefined;
    const made = signatureImage(signatures);
    for (const blob of made.blobs) blobs.set(digestOf(blob), blob);
    manifests.set(digestOf(made.manifest), made.manifest);
    return made.manifest;
  };
  const asked: string[] = [];
  const answer: RequestListener = async (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const [, kind, name = ''] =
      new RegExp(`^/v2/${repository}/(manifests|blobs)/([^?]+)`).exec(request.url ?? '') ?? [];
    const isManifest = kind === 'manifests';
    const body = request.url === '/v2/' ? Buffer.from('{}') : isManifest ? manifestOf(name) : blobs.get(name);
    if (!body) {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"not here"}]}');
      return;
    }
    const type = isManifest ? MANIFEST : 'application/octet-stream';
    const headers = {
      'content-type': type,
      'content-length': body.length,
      'docker-content-digest': digestOf(body),
    };
    response.writeHead(200, headers);
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const half = body === layer ? Math.floor(body.length / 2) : body.length;
    response.write(body.subarray(0, half));
    if (half < body.length) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    response.end(body.subarray(half));
  };
  const server = tls ? createTlsServer(tls, answer) : createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...{ host: `127.0.0.1:${port}`, repository, imageId: digestOf(config), asked },
    ...{ port, digest: digestOf(manifest) },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Signatures as cosign stores them: an image whose layers are what was signed. */
function signatureImage(signatures: readonly ServedSignature[]) {
  const config = Buffer.from(
    JSON.stringify({
      ...{ architecture: '', os: '', config: {} },
      rootfs: { type: 'layers', diff_ids: signatures.map(({ payload }) => digestOf(payload)) },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      ...{ schemaVersion: 2, mediaType: MANIFEST },
      config: descriptor('application/vnd.oci.image.config.v1+json', config),
      layers: signatures.map(({ payload, signature }) => ({
        ...descriptor('application/vnd.dev.cosign.simplesigning.v1+json', payload),
        annotations: { 'dev.cosignproject.cosign/signature': signature.toString('base64') },
      })),
    }),
  );
  return { manifest, blobs: [config, ...signatures.map(({ payload }) => payload)] };
}

/** A tar archive with one file of zeros (POSIX ustar: a header of 512 bytes, the content, two empty blocks). */
function fileInTar(tar: Buffer, sizeBytes: number): Buffer {
  tar.write('data', 0);
  tar.write('0000644\0', 100);
  tar.write('0000000\0', 108);
  tar.write('0000000\0', 116);
  tar.write(`${(sizeBytes - 512).toString(8).padStart(11, '0')}\0`, 124);
  tar.write('00000000000\0', 136);
  tar.write('        0', 148);
  tar.write('ustar\u000000', 257);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return tar;
}

function descriptor(mediaType: string, content: Buffer) {
  return { mediaType, digest: digestOf(content), size: content.length };
}

function digestOf(content: Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
