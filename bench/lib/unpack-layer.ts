import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type BlockReader, readGpt } from '@plinth/formats';
import type { Toolbox } from '@plinth/toolbox';

/** unpackLayer writes the tree of a Kubernetes layer below `folder`, as the layer itself has it. */
export async function unpackLayer(toolbox: Toolbox, layerPath: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const image = join(folder, 'root.erofs');
  await copyRoot(layerPath, image);
  await toolbox.run('fsck.erofs', ['--extract=/mnt/work/root', '/mnt/work/root.erofs'], {
    binds: [{ host: folder, inside: '/mnt/work' }],
  });
  await rm(image);
}

/** Beside the file system a layer has its hash tree and its signature. */
async function copyRoot(layerPath: string, target: string): Promise<void> {
  await using file = await open(layerPath);
  const { size } = await file.stat();
  const reader: BlockReader = {
    sizeBytes: size,
    async read(offset, lengthBytes) {
      const bytes = Buffer.alloc(lengthBytes);
      const { bytesRead } = await file.read(bytes, 0, lengthBytes, offset);
      return bytes.subarray(0, bytesRead);
    },
  };
  const { partitions } = await readGpt(reader);
  const root = partitions.find(({ typeName }) => typeName === 'root-x86-64');
  if (!root) throw new Error(`${layerPath} has no file system`);
  const range = { start: root.offsetBytes, end: root.offsetBytes + root.sizeBytes - 1 };
  await pipeline(createReadStream(layerPath, range), createWriteStream(target));
}
