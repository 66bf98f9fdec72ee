import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { readSuperblock, veritySizeBytes } from '@plinth/formats';
import { ioError } from '@plinth/host';
import type { PartitionKind } from '@plinth/updates';
import type { Slot } from './disk-layout.ts';
import { type FileReader, sliceReader } from './file-reader.ts';

const BLOCK_BYTES = 4096;
const SUPERBLOCK_BYTES = 512;

/** The part of a partition that is published: what the hash tree covers, the tree itself, the whole signature. */
export interface SlotPart {
  readonly kind: PartitionKind;
  readonly uuid: string;
  readonly number: number;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/**
 * slotParts tells which bytes of a slot are published. What lies behind the end of the hash tree's reach is room to
 * grow and is never read; the signature is JSON ended by zeros, so it is published with them.
 */
export async function slotParts(disk: FileReader, { root, verity, signature }: Slot): Promise<SlotPart[]> {
  const superblock = await sliceReader(disk, verity).read(0, SUPERBLOCK_BYTES);
  const coveredBytes = readSuperblock(superblock).dataBlocks * BLOCK_BYTES;
  const part = (kind: PartitionKind, { uuid, number, offsetBytes }: Slot['root'], sizeBytes: number) => {
    return { kind, uuid, number, offsetBytes, sizeBytes };
  };
  return [
    part('root', root, coveredBytes),
    part('root-verity', verity, veritySizeBytes(coveredBytes)),
    part('root-verity-sig', signature, signature.sizeBytes),
  ];
}

/**
 * writeSlotPart writes one part to a file of its own.
 * @throws host/disk-full, host/io
 */
export async function writeSlotPart(rawPath: string, part: SlotPart, output: string): Promise<void> {
  const range = { start: part.offsetBytes, end: part.offsetBytes + part.sizeBytes - 1 };
  try {
    await pipeline(
      createReadStream(rawPath, { ...range, highWaterMark: 1 << 20 }),
      createWriteStream(output, { highWaterMark: 1 << 20 }),
    );
  } catch (reason) {
    await rm(output, { force: true });
    throw ioError(reason, `write ${output}`);
  }
}
