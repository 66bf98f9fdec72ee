import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { encodeText, hex, sha256 } from '@plinth/formats';
import { exists, hashFile, ioError, removeTree } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import { type Signer, signRootHash } from '@plinth/trust';
import { type LayerVolume, makeVolume } from './make-volume.ts';
import {
  type BlobDescriptor,
  blobPath,
  type ImageLayer,
  type LayoutImage,
  readLayout,
} from './read-layout.ts';

/** Types and names of a bundle that containerd's EROFS snapshotter reads as a referrer, in the version that takes signatures. */
const BUNDLE = {
  artifact: 'application/vnd.cncf.notary.dmverity.v1',
  image: 'application/vnd.cncf.containerd.erofs.layer.v1',
  hashTree: 'application/vnd.cncf.dmverity.merkle-tree.v1',
  signature: 'application/vnd.cncf.notary.dmverity.layer-signature+pkcs7',
  names: 'io.cncf.notary.dmverity',
} as const;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const EMPTY = encodeText('{}');

/** A layer that was signed. */
export interface SignedLayer {
  /** Of the image's own blob. */
  readonly digest: string;
  readonly rootHash: string;
  /** Of the EROFS image, in bytes. */
  readonly sizeBytes: number;
}

export interface SignedWorkload {
  /** Of the image, which is unchanged. */
  readonly digest: string;
  /** Of the manifest of the signatures, which refers to the image. */
  readonly bundleDigest: string;
  readonly layers: readonly SignedLayer[];
}

/**
 * signWorkload writes an OCI image layout with the image as it is and, as a referrer, each layer as an EROFS image with its
 * dm-verity hash tree and the signature of its root hash. The same image and key always give the same bytes.
 * @param source an OCI image layout, or an archive of one
 * @param output a folder that does not exist; appears whole or not at all
 * @throws workload/image-invalid, workload/exists, toolbox/…, trust/signing-failed, host/io
 */
export async function signWorkload(
  source: string,
  output: string,
  { key, toolbox }: { readonly key: Signer; readonly toolbox: Toolbox },
): Promise<SignedWorkload> {
  if (await exists(output))
    throw new PlinthError('workload/exists', `Cannot write ${output}: it is there, expected a new folder`);
  const parent = dirname(output);
  await mkdir(parent, { recursive: true });
  const work = await mkdtemp(join(parent, '.workload-'));
  try {
    const layout = join(work, 'layout');
    await takeLayout(source, layout, toolbox);
    const image = await readLayout(layout);
    const volumes = join(work, 'volumes');
    await mkdir(volumes);
    const signed: SignedLayer[] = [];
    const parts: BlobDescriptor[] = [];
    for (const layer of image.layers) {
      const volume = await makeVolume(layout, layer, volumes, toolbox);
      const signature = await signRootHash(key, volume.rootHash);
      const added = await addLayer(layout, layer, volume, signature);
      parts.push(...added);
      signed.push({ digest: layer.blob.digest, rootHash: volume.rootHash, sizeBytes: added[0]?.size ?? 0 });
    }
    const bundle = await addBundle(layout, image, parts);
    await rename(layout, output);
    return { digest: image.manifest.digest, bundleDigest: bundle.digest, layers: signed };
  } catch (reason) {
    throw ioError(reason, `write ${output}`);
  } finally {
    await removeTree(work);
  }
}

/** Copies a layout, or takes an archive apart, in the toolbox, where nothing else can be reached. */
async function takeLayout(source: string, layout: string, toolbox: Toolbox): Promise<void> {
  if (await exists(join(source, 'oci-layout'))) {
    await cp(source, layout, { recursive: true, verbatimSymlinks: true });
    return;
  }
  await mkdir(layout);
  await toolbox.run('tar', ['--extract', '--no-same-owner', '--file=/mnt/in', '--directory=/mnt/out'], {
    binds: [
      { host: source, inside: '/mnt/in', readOnly: true },
      { host: layout, inside: '/mnt/out' },
    ],
  });
}

async function addLayer(
  layout: string,
  { blob }: ImageLayer,
  { imagePath, hashTreePath, rootHash }: LayerVolume,
  signature: Uint8Array,
): Promise<readonly BlobDescriptor[]> {
  const from = { [`${BUNDLE.names}.source-layer-digest`]: blob.digest };
  const image = await moveBlob(layout, imagePath, BUNDLE.image, from);
  const hashTree = await moveBlob(layout, hashTreePath, BUNDLE.hashTree, from);
  const signed = await writeBlob(layout, signature, BUNDLE.signature, {
    [`${BUNDLE.names}.layer-digest`]: blob.digest,
    [`${BUNDLE.names}.layer-roothash`]: rootHash,
    [`${BUNDLE.names}.layer-signature`]: Buffer.from(signature).toString('base64'),
  });
  return [image, hashTree, signed];
}

/** The manifest of the bundle refers to the image; the layout's index names both. */
async function addBundle(
  layout: string,
  { manifest }: LayoutImage,
  layers: readonly BlobDescriptor[],
): Promise<BlobDescriptor> {
  const empty = await writeBlob(layout, EMPTY, 'application/vnd.oci.empty.v1+json');
  const { mediaType, digest, size } = manifest;
  const document = {
    ...{ schemaVersion: 2, mediaType: MANIFEST, artifactType: BUNDLE.artifact },
    ...{ config: empty, layers, subject: { mediaType, digest, size } },
  };
  const bundle = await writeBlob(layout, encodeText(JSON.stringify(document)), MANIFEST);
  const index = {
    ...{ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json' },
    manifests: [manifest, { ...bundle, artifactType: BUNDLE.artifact }],
  };
  await writeFile(join(layout, 'index.json'), JSON.stringify(index));
  return bundle;
}

async function writeBlob(
  layout: string,
  data: Uint8Array,
  mediaType: string,
  annotations?: Readonly<Record<string, string>>,
): Promise<BlobDescriptor> {
  const blob = { mediaType, digest: `sha256:${hex(sha256(data))}`, size: data.length };
  await writeFile(blobPath(layout, blob), data);
  return { ...blob, ...(annotations && { annotations }) };
}

async function moveBlob(
  layout: string,
  path: string,
  mediaType: string,
  annotations: Readonly<Record<string, string>>,
): Promise<BlobDescriptor> {
  const { sha256: name, sizeBytes: size } = await hashFile(path);
  const digest = `sha256:${name}`;
  const to = blobPath(layout, { digest });
  await rm(to, { force: true });
  await rename(path, to);
  return { mediaType, digest, size, annotations };
}
