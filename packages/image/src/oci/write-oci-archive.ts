import { encodeText, hex, sha256, type TarEntry, writeTar } from '@plinth/formats';

/** A container image of one layer, and how its process is started. */
export interface OciImage {
  /** What pods call it: "plinth.local/coredns:1.14.7". */
  readonly reference: string;
  /** The root file system; every folder is listed. */
  readonly entries: readonly TarEntry[];
  readonly entrypoint: readonly string[];
  /** "65532:65532"; default root. */
  readonly user?: string | undefined;
  /** The one time of all files and of the image. */
  readonly epochSeconds: number;
}

export interface OciArchive {
  /** The archive: `ctr images import` and containerd's Transfer service take it as it is. */
  readonly bytes: Uint8Array;
  /** "sha256:…" of the manifest; what containerd reports as the image's digest. */
  readonly digest: string;
}

const TYPES = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  // Not compressed: the file system the archive lies on compresses, and importing costs no time.
  layer: 'application/vnd.oci.image.layer.v1.tar',
};

/**
 * writeOciArchive makes a container image as an archive in the OCI image layout, without a registry or a daemon.
 * The same image always gives the same bytes. Sources: OCI Image Format Specification 1.1 (image-layout, manifest,
 * config); the annotation that names the image on import is containerd's.
 * @throws formats/tar-invalid
 */
export function writeOciArchive(image: OciImage): OciArchive {
  const { reference, epochSeconds } = image;
  const layer = blob(TYPES.layer, writeTar(image.entries, { mtimeSeconds: epochSeconds }));
  const config = jsonBlob(TYPES.config, imageConfig(image, layer.digest));
  const manifest = jsonBlob(TYPES.manifest, {
    schemaVersion: 2,
    mediaType: TYPES.manifest,
    config: descriptor(config),
    layers: [descriptor(layer)],
  });
  const index = {
    schemaVersion: 2,
    mediaType: TYPES.index,
    manifests: [
      {
        ...descriptor(manifest),
        platform: { architecture: 'amd64', os: 'linux' },
        annotations: {
          'io.containerd.image.name': reference,
          'org.opencontainers.image.ref.name': reference.slice(reference.lastIndexOf(':') + 1),
        },
      },
    ],
  };
  const files = [
    { path: 'oci-layout', data: encodeJson({ imageLayoutVersion: '1.0.0' }) },
    { path: 'index.json', data: encodeJson(index) },
    ...[layer, config, manifest].map(({ digest, data }) => ({
      path: `blobs/${digest.replace(':', '/')}`,
      data,
    })),
  ];
  const entries: TarEntry[] = [
    ...['blobs', 'blobs/sha256'].map((path) => ({ kind: 'directory', path, mode: 0o755 }) as const),
    ...files.map((file) => ({ kind: 'file', mode: 0o644, ...file }) as const),
  ];
  return { bytes: writeTar(entries, { mtimeSeconds: epochSeconds }), digest: manifest.digest };
}

function imageConfig({ entrypoint, user, epochSeconds }: OciImage, layerDigest: string): unknown {
  const created = new Date(epochSeconds * 1000).toISOString();
  return {
    created,
    architecture: 'amd64',
    os: 'linux',
    config: { ...(user && { User: user }), Entrypoint: entrypoint, WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [layerDigest] },
    history: [{ created, created_by: 'plinth' }],
  };
}

interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly data: Uint8Array;
}

function blob(mediaType: string, data: Uint8Array): Blob {
  return { mediaType, digest: `sha256:${hex(sha256(data))}`, data };
}

function jsonBlob(mediaType: string, value: unknown): Blob {
  return blob(mediaType, encodeJson(value));
}

function descriptor({ mediaType, digest, data }: Blob) {
  return { mediaType, digest, size: data.length };
}

function encodeJson(value: unknown): Uint8Array {
  return encodeText(JSON.stringify(value));
}
