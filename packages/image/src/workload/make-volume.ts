import { createReadStream, createWriteStream } from 'node:fs';
import { open, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { PlinthError } from '@plinth/base';
import { type BlockReader, makeVerity, seededUuid } from '@plinth/formats';
import { hashFile, hashText } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import { blobPath, type ImageLayer } from './read-layout.ts';

/** An unpacked layer beyond this is taken for an attack on the disk of whoever signs. */
const LAYER_LIMIT_BYTES = 32 * 2 ** 30;

/** A layer as the kernel can verify it. */
export interface LayerVolume {
  /** EROFS image, a whole number of blocks. */
  readonly imagePath: string;
  readonly hashTreePath: string;
  readonly rootHash: string;
}

/**
 * makeVolume turns a layer into an EROFS image and its dm-verity hash tree. The same layer always gives the same bytes:
 * names and salt come from its content. Whiteouts become those of overlayfs, as containerd's own conversion does.
 * @param folder receives the files
 * @throws workload/image-invalid when the layer is not what the image says; toolbox/…
 */
export async function makeVolume(
  layout: string,
  layer: ImageLayer,
  folder: string,
  toolbox: Toolbox,
): Promise<LayerVolume> {
  const name = layer.diffId.slice('sha256:'.length);
  const [tar, image, hashTreePath] = ['tar', 'erofs', 'verity'].map((end) => join(folder, `${name}.${end}`));
  if (!tar || !image || !hashTreePath) throw new Error('three names are three paths');
  await unpack(blobPath(layout, layer.blob), layer, tar);
  await toolbox.run(
    'mkfs.erofs',
    [
      ...['--quiet', '--tar=f', '--aufs', '-T0', `-U${seededUuid(`${name} layer`)}`, '-Enoinline_data'],
      ...[`/mnt/out/${basename(image)}`, `/mnt/out/${basename(tar)}`],
    ],
    { binds: [{ host: folder, inside: '/mnt/out' }] },
  );
  await rm(tar);
  const salt = Buffer.from(hashText(`${name} salt`), 'hex');
  const file = await open(image, 'r');
  try {
    const data: BlockReader = {
      sizeBytes: (await file.stat()).size,
      read: async (offset, lengthBytes) => {
        const { buffer, bytesRead } = await file.read(new Uint8Array(lengthBytes), 0, lengthBytes, offset);
        return buffer.subarray(0, bytesRead);
      },
    };
    const { bytes, rootHash } = await makeVerity(data, { salt, uuid: seededUuid(`${name} verity`) });
    await writeFile(hashTreePath, bytes);
    return { imagePath: image, hashTreePath, rootHash };
  } finally {
    await file.close();
  }
}

async function unpack(from: string, { blob, diffId }: ImageLayer, to: string): Promise<void> {
  let sizeBytes = 0;
  const bounded = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sizeBytes += chunk.length;
      if (sizeBytes <= LAYER_LIMIT_BYTES) done(undefined, chunk);
      else done(invalid(`${blob.digest} unpacks to more than 32 GiB`, 'less'));
    },
  });
  const source = createReadStream(from);
  const target = createWriteStream(to);
  try {
    if (/[.+]gzip$/.test(blob.mediaType)) await pipeline(source, createGunzip(), bounded, target);
    else if (/[.+]zstd$/.test(blob.mediaType))
      await pipeline(source, createZstdDecompress(), bounded, target);
    else if (/[.]tar$/.test(blob.mediaType)) await pipeline(source, bounded, target);
    else throw invalid(`layer ${blob.digest} is of type ${blob.mediaType}`, 'tar, plain or by gzip or zstd');
  } catch (reason) {
    if (reason instanceof PlinthError) throw reason;
    throw PlinthError.from(reason, 'workload/image-invalid', `Cannot unpack layer ${blob.digest}`);
  }
  const found = `sha256:${(await hashFile(to)).sha256}`;
  if (found !== diffId) throw invalid(`layer ${blob.digest} unpacks to ${found}`, diffId);
}

function invalid(state: string, expected: string): PlinthError {
  return new PlinthError('workload/image-invalid', `Cannot read image: ${state}, expected ${expected}`);
}
