import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { hashFile, ioError } from '@plinth/host';
import { parseJson } from '@plinth/updates';
import { z } from 'zod';

/** A document of an image is small; more is no image (the same bound as containerd's for manifests). */
const DOCUMENT_LIMIT_BYTES = 8 * 2 ** 20;
const LAYERS_LIMIT = 256;

const TYPES = {
  index: [
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.docker.distribution.manifest.list.v2+json',
  ],
  manifest: [
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.docker.distribution.manifest.v2+json',
  ],
} as const;

const descriptor = z.object({
  mediaType: z.string().max(255),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.int().min(0),
  platform: z.object({ os: z.string(), architecture: z.string() }).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
const index = z.object({ manifests: z.array(descriptor).max(1000) });
const manifest = z.object({ config: descriptor, layers: z.array(descriptor).max(LAYERS_LIMIT) });
const config = z.object({
  architecture: z.string(),
  os: z.string(),
  rootfs: z.object({ diff_ids: z.array(z.string().regex(/^sha256:[0-9a-f]{64}$/)).max(LAYERS_LIMIT) }),
});

/** Some content by its digest, as an image says it (OCI image specification 1.1, "Content Descriptors"). */
export type BlobDescriptor = z.infer<typeof descriptor>;

/** A layer with the digest of its uncompressed archive. */
export interface ImageLayer {
  readonly blob: BlobDescriptor;
  readonly diffId: string;
}

/** One image of a layout. */
export interface LayoutImage {
  /** As the layout's index names it. */
  readonly manifest: BlobDescriptor;
  readonly config: BlobDescriptor;
  readonly layers: readonly ImageLayer[];
}

/** blobPath is where a layout keeps some content. */
export function blobPath(folder: string, { digest }: Pick<BlobDescriptor, 'digest'>): string {
  return join(folder, 'blobs', digest.replace(':', '/'));
}

/**
 * readLayout finds the image for linux/amd64 in an OCI image layout. Every blob it names is there and is what its digest
 * says, layers too.
 * @throws workload/image-invalid, host/io
 */
export async function readLayout(folder: string): Promise<LayoutImage> {
  const text = await readSmall(join(folder, 'index.json'));
  const found = await findManifest(folder, parse(index, text, 'index.json').manifests);
  const { config: about, layers } = parse(manifest, await readDocument(folder, found), 'its manifest');
  const { rootfs, os, architecture } = parse(config, await readDocument(folder, about), 'its config');
  if (os !== 'linux' || architecture !== 'amd64')
    throw invalid(`it is for ${os}/${architecture}`, 'linux/amd64');
  if (rootfs.diff_ids.length !== layers.length)
    throw invalid(`it has ${layers.length} layers and ${rootfs.diff_ids.length} names for them`, 'as many');
  const paired: ImageLayer[] = [];
  for (const [at, blob] of layers.entries()) {
    await requireBlob(folder, blob);
    paired.push({ blob, diffId: rootfs.diff_ids[at] ?? '' });
  }
  return { manifest: found, config: about, layers: paired };
}

/** Follows at most one index of platforms. */
async function findManifest(
  folder: string,
  entries: readonly BlobDescriptor[],
  depth = 0,
): Promise<BlobDescriptor> {
  const fits = entries.filter(
    ({ platform }) => !platform || (platform.os === 'linux' && platform.architecture === 'amd64'),
  );
  const manifests = fits.filter(({ mediaType }) => TYPES.manifest.some((type) => type === mediaType));
  const [first, ...more] = manifests;
  if (first && more.length === 0) return first;
  if (more.length > 0) throw invalid(`${manifests.length} images for linux/amd64`, 'one');
  const [inner, ...others] = fits.filter(({ mediaType }) => TYPES.index.some((type) => type === mediaType));
  if (inner && others.length === 0 && depth === 0)
    return findManifest(folder, parse(index, await readDocument(folder, inner), 'its index').manifests, 1);
  throw invalid('no image for linux/amd64', 'one');
}

async function readDocument(folder: string, blob: BlobDescriptor): Promise<string> {
  await requireBlob(folder, blob);
  return readSmall(blobPath(folder, blob));
}

async function readSmall(path: string): Promise<string> {
  const sizeBytes = await fileSize(path);
  if (sizeBytes > DOCUMENT_LIMIT_BYTES)
    throw invalid(`a document of ${sizeBytes} bytes`, `at most ${DOCUMENT_LIMIT_BYTES}`);
  return readFile(path, 'utf8');
}

/** Links could lead out of the layout. */
async function fileSize(path: string): Promise<number> {
  const stats = await lstat(path).catch((reason: unknown) => {
    throw ioError(reason, `read ${path}`);
  });
  if (!stats.isFile()) throw invalid(`${path} is no file`, 'a file');
  return stats.size;
}

async function requireBlob(folder: string, blob: BlobDescriptor): Promise<void> {
  const path = blobPath(folder, blob);
  const sizeBytes = await fileSize(path);
  if (sizeBytes !== blob.size) throw invalid(`${blob.digest} has ${sizeBytes} bytes`, `${blob.size}`);
  const digest = `sha256:${(await hashFile(path)).sha256}`;
  if (digest !== blob.digest) throw invalid(`${blob.digest} has the digest ${digest}`, 'its own');
}

function parse<T>(schema: z.ZodType<T>, text: string, what: string): T {
  const result = schema.safeParse(parseJson(text));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalid(`${what} is not valid (${issue?.path.join('.')}: ${issue?.message})`, 'an OCI image layout');
}

function invalid(state: string, expected: string): PlinthError {
  return new PlinthError('workload/image-invalid', `Cannot read image: ${state}, expected ${expected}`);
}
