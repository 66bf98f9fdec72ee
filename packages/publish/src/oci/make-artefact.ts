import { hex, sha256 } from '@plinth/formats';
import type { Manifest } from '@plinth/updates';
import type { ReleaseFile } from '../release/read-release-files.ts';

/** What the artefact of a release calls itself. */
export const ARTIFACT_TYPE = 'application/vnd.plinth.os.image.v1+json';
/** Checksums with their signature. */
export const SIGNATURE_TYPE = 'application/vnd.plinth.os.signature.v1';
export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

/** Some content by its digest (OCI image specification 1.1). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly data?: string;
  readonly platform?: { readonly architecture: string; readonly os: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A manifest or an index as it is sent, with how it is referred to. */
export interface OciDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** The one config that says nothing. */
export const EMPTY_CONFIG = Buffer.from('{}');

/** That config as a blob like others. */
export const EMPTY: Descriptor = {
  mediaType: 'application/vnd.oci.empty.v1+json',
  digest: digestOf(EMPTY_CONFIG),
  size: EMPTY_CONFIG.length,
  data: EMPTY_CONFIG.toString('base64'),
};

/** A release as documents of a registry. The same release always gives the same bytes. */
export interface ReleaseArtefact {
  readonly image: OciDocument;
  /** By architecture; what the tag names. */
  readonly index: OciDocument;
  /** SBOMs, provenance, signatures: each refers to the image. */
  readonly referrers: readonly OciDocument[];
}

/** makeArtefact writes a release down for a registry: a layer each file, and its papers as referrers. */
export function makeArtefact(manifest: Manifest, files: readonly ReleaseFile[]): ReleaseArtefact {
  const annotations = {
    'org.opencontainers.image.title': manifest.name,
    'org.opencontainers.image.version': manifest.version,
    'org.opencontainers.image.created': manifest.created,
    'dev.plinth.root-hash': manifest.rootHash,
  };
  const groups = groupPapers(files);
  const papers = new Set([...groups.values()].flat());
  const layers = files.filter((file) => !papers.has(file)).map(layerOf);
  const image = document(MANIFEST_TYPE, {
    artifactType: ARTIFACT_TYPE,
    config: EMPTY,
    layers,
    annotations,
  });
  const subject = plain(image.descriptor);
  const referrers = [...groups].map(([artifactType, group]) =>
    document(MANIFEST_TYPE, {
      artifactType,
      config: EMPTY,
      layers: group.map(layerOf),
      subject,
      annotations,
    }),
  );
  // The one architecture, in the words of OCI.
  const platform = { architecture: 'amd64', os: 'linux' };
  const index = document(INDEX_TYPE, {
    artifactType: ARTIFACT_TYPE,
    manifests: [{ ...subject, artifactType: ARTIFACT_TYPE, platform }],
    annotations,
  });
  return { image, index, referrers };
}

/** makeReferrersIndex lists referrers where a registry does not do so itself (distribution specification 1.1, tag schema). */
export function makeReferrersIndex(referrers: readonly Descriptor[]): OciDocument {
  return document(INDEX_TYPE, { manifests: referrers });
}

/** Files that say something of the release, by what they are to a registry. */
function groupPapers(files: readonly ReleaseFile[]): Map<string, ReleaseFile[]> {
  const groups = new Map<string, ReleaseFile[]>();
  for (const file of files) {
    const isSignature = /\.SHA256SUMS(\.p7s)?$/.test(file.name);
    const isPaper = /\.(spdx|cdx|provenance)\.json$/.test(file.name);
    const type = isSignature ? SIGNATURE_TYPE : isPaper ? file.mediaType : undefined;
    if (type !== undefined) groups.set(type, [...(groups.get(type) ?? []), file]);
  }
  return groups;
}

function layerOf({ name, mediaType, sizeBytes, sha256: digest }: ReleaseFile): Descriptor {
  return {
    mediaType,
    digest: `sha256:${digest}`,
    size: sizeBytes,
    annotations: { 'org.opencontainers.image.title': name },
  };
}

function document(mediaType: string, content: Readonly<Record<string, unknown>>): OciDocument {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...content }));
  const { artifactType } = content;
  return {
    bytes,
    descriptor: {
      mediaType,
      digest: digestOf(bytes),
      size: bytes.length,
      ...(typeof artifactType === 'string' && { artifactType }),
    },
  };
}

function plain({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${hex(sha256(bytes))}`;
}
