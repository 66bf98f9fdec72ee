import { PlinthError } from '@plinth/base';
import { type BlockReader, readBlocks } from '../block-reader.ts';
import { fromHex, hex } from '../bytes.ts';
import { blockHasher } from './block-hasher.ts';
import {
  encodeSuperblock,
  VERITY_BLOCK_BYTES,
  VERITY_DIGEST_BYTES,
  type VerityHeader,
  verityLayout,
} from './verity-layout.ts';

export interface VerityDevice {
  /** Lower-case hex, as `roothash=` wants it. */
  readonly rootHash: string;
  /** The first 512 bytes of `bytes`. */
  readonly superblock: Uint8Array;
  /** The whole hash device: superblock and tree, as `veritysetup format` writes it. */
  readonly bytes: Uint8Array;
}

/**
 * makeVerity computes the dm-verity hash device of some data (format 1, SHA-256, 4096-byte blocks).
 * Reads the data once, in order; the tree (1/127 of the data) is kept in memory.
 * @throws formats/verity-invalid when the data is not a whole number of blocks, or salt or UUID are unfit
 */
export async function makeVerity(
  data: BlockReader,
  options: Pick<VerityHeader, 'salt' | 'uuid'>,
): Promise<VerityDevice> {
  const header = checkedHeader(data, options);
  const { levels, sizeBytes } = verityLayout(header.dataBlocks);
  const digest = blockHasher(header.salt);
  const bytes = new Uint8Array(sizeBytes);
  const superblock = encodeSuperblock(header);
  bytes.set(superblock);

  const range = { offset: 0, blocks: header.dataBlocks, blockBytes: VERITY_BLOCK_BYTES };
  // One data block has no tree: its digest is the root hash.
  let top: Uint8Array = new Uint8Array();
  let at = levels[0]?.offset ?? 0;
  for await (const blocks of readBlocks(data, range)) {
    for (const block of blocks) {
      top = digest(block);
      if (levels.length === 0) break;
      bytes.set(top, at);
      at += VERITY_DIGEST_BYTES;
    }
  }
  for (const [index, level] of levels.entries()) {
    let parentAt = levels[index + 1]?.offset;
    for (let block = 0; block < level.blocks; block++) {
      const start = level.offset + block * VERITY_BLOCK_BYTES;
      top = digest(bytes.subarray(start, start + VERITY_BLOCK_BYTES));
      if (parentAt === undefined) break;
      bytes.set(top, parentAt);
      parentAt += VERITY_DIGEST_BYTES;
    }
  }
  return { rootHash: hex(top), superblock, bytes };
}

/** veritySizeBytes tells how large the hash device of so many data bytes is. */
export function veritySizeBytes(dataSizeBytes: number): number {
  return verityLayout(Math.ceil(dataSizeBytes / VERITY_BLOCK_BYTES)).sizeBytes;
}

function checkedHeader(data: BlockReader, { salt, uuid }: Pick<VerityHeader, 'salt' | 'uuid'>): VerityHeader {
  const dataBlocks = data.sizeBytes / VERITY_BLOCK_BYTES;
  if (!Number.isInteger(dataBlocks) || dataBlocks === 0) {
    throw refuse(`${data.sizeBytes} bytes of data`, `a multiple of ${VERITY_BLOCK_BYTES} above 0`);
  }
  if (salt.length > 256) throw refuse(`a salt of ${salt.length} bytes`, 'at most 256');
  if (fromHex(uuid.replaceAll('-', ''))?.length !== 16)
    throw refuse(`UUID "${uuid}"`, '32 hexadecimal digits');
  return { salt, uuid, dataBlocks };
}

function refuse(state: string, expected: string): PlinthError {
  return new PlinthError(
    'formats/verity-invalid',
    `Cannot make a verity hash device: ${state}, expected ${expected}`,
  );
}
