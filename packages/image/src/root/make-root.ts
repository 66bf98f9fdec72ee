import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { type BlockReader, layOutErofs, makeVerity, seededUuid } from '@plinth/formats';
import { hashText } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import type { SlotSizes } from '../disk/slot-sizes.ts';

/**
 * zstd cannot fill a cluster of a given size: mkfs.erofs finds how much input fits by compressing again and again,
 * about ten times over. An extent no larger than its cluster always fits, so each byte is compressed once. Measured:
 * the size of level 3 in 64 KiB clusters that are filled, in a sixth of the time.
 */
const EXTENT_BYTES = 128 * 1024;
const COMPRESSION = ['-zzstd,level=6', `-C${EXTENT_BYTES}`, `--max-extent-bytes=${EXTENT_BYTES}`];
/** The ends of files lie in blocks of their own: beside the inodes, a longer file would move all inodes behind it. */
const SEPARATE_DATA = '-Enoinline_data';

export interface RootImage {
  readonly imagePath: string;
  readonly hashTreePath: string;
  readonly rootHash: string;
  readonly sizeBytes: number;
}

/**
 * makeRootFilesystem packs the tree into an EROFS image: everything root:root, one time for all files,
 * labelled from SELinux contexts, by default the tree's own; laid out so that a small change is one of few blocks.
 * @param seed text the file system's UUID is derived from; not of a version, so that unchanged blocks are equal in all
 */
export async function makeRootFilesystem(
  tree: string,
  output: string,
  options: { toolbox: Toolbox; epochSeconds: number; seed: string; fileContextsDir?: string },
): Promise<void> {
  const { fileContextsDir = join(tree, 'etc/selinux/default/contexts/files') } = options;
  await options.toolbox.run(
    'mkfs.erofs',
    [
      '--quiet',
      ...COMPRESSION,
      SEPARATE_DATA,
      `-T${options.epochSeconds}`,
      `-U${seededUuid(`${options.seed} root`)}`,
      '--all-root',
      '--file-contexts=/mnt/contexts/file_contexts',
      '/mnt/out/root.draft',
      '/mnt/tree',
    ],
    {
      binds: [
        { host: tree, inside: '/mnt/tree', readOnly: true },
        { host: fileContextsDir, inside: '/mnt/contexts', readOnly: true },
        { host: output, inside: '/mnt/out' },
      ],
    },
  );
  const draft = join(output, 'root.draft');
  await writeFile(join(output, 'root.erofs'), layOutErofs(await readFile(draft)));
  await rm(draft);
}

/**
 * addVerity computes the hash tree of a root file system and writes it beside it.
 * Salt and UUID come from the seed: the same content always has the same root hash.
 * @throws image/too-large when the image or its tree does not fit its slot
 */
export async function addVerity(
  folder: string,
  options: { seed: string; slots: SlotSizes },
): Promise<RootImage> {
  const imagePath = join(folder, 'root.erofs');
  const hashTreePath = join(folder, 'root.verity');
  const file = await open(imagePath, 'r');
  try {
    const sizeBytes = (await file.stat()).size;
    const data: BlockReader = {
      sizeBytes,
      read: async (offset, lengthBytes) => {
        const { buffer, bytesRead } = await file.read(new Uint8Array(lengthBytes), 0, lengthBytes, offset);
        return buffer.subarray(0, bytesRead);
      },
    };
    const salt = Buffer.from(hashText(`${options.seed} salt`), 'hex');
    const verity = await makeVerity(data, { salt, uuid: seededUuid(`${options.seed} verity`) });
    assertFits('root file system', sizeBytes, options.slots.rootSizeBytes);
    assertFits('hash tree', verity.bytes.length, options.slots.veritySizeBytes);
    await writeFile(hashTreePath, verity.bytes);
    return { imagePath, hashTreePath, rootHash: verity.rootHash, sizeBytes };
  } finally {
    await file.close();
  }
}

function assertFits(what: string, sizeBytes: number, limitBytes: number): void {
  if (sizeBytes <= limitBytes) return;
  const mib = (bytes: number) => `${Math.ceil(bytes / 1024 / 1024)} MiB`;
  throw new PlinthError(
    'image/too-large',
    `Cannot place the ${what}: ${mib(sizeBytes)}, expected at most ${mib(limitBytes)}`,
  );
}
