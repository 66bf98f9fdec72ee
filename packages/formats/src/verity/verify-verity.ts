import { PlinthError } from '@plinth/base';
import { type BlockReader, readBlocks } from '../block-reader.ts';
import { fromHex } from '../bytes.ts';
import { blockHasher } from './block-hasher.ts';
import {
  readSuperblock,
  VERITY_BLOCK_BYTES,
  VERITY_DIGEST_BYTES,
  type VerityHeader,
  verityLayout,
} from './verity-layout.ts';

export type VerityVerdict =
  | { readonly verdict: 'pass'; readonly header: VerityHeader }
  | {
      readonly verdict: 'fail';
      readonly reason: string;
      /** Which part is broken; "tree" counts blocks from the start of the hash device, "data" from that of the data. */
      readonly part: 'superblock' | 'tree' | 'data';
      readonly block: number;
    };

/**
 * verifyVerity checks every block of a hash device and of its data against a root hash, from the root down, as the
 * kernel does at each read. The first bad block is named. Data behind the last block is not covered and not read.
 * @param hashDevice the whole hash device; padding behind the tree is allowed
 * @param rootHash hex
 * @throws whatever `data.read` throws: "could not read" is not "is bad"
 */
export async function verifyVerity(
  data: BlockReader,
  hashDevice: Uint8Array,
  rootHash: string,
): Promise<VerityVerdict> {
  const header = parseHeader(data, hashDevice);
  if ('verdict' in header) return header;
  const { levels } = verityLayout(header.dataBlocks);
  const digest = blockHasher(header.salt);

  // Digests that the blocks below must have; starts with the one that is trusted.
  let expected = fromHex(rootHash) ?? new Uint8Array();
  for (const level of levels.toReversed()) {
    const bytes = hashDevice.subarray(level.offset, level.offset + level.blocks * VERITY_BLOCK_BYTES);
    for (let block = 0; block < level.blocks; block++) {
      const start = block * VERITY_BLOCK_BYTES;
      if (!hasDigest(digest(bytes.subarray(start, start + VERITY_BLOCK_BYTES)), expected, block)) {
        return bad('tree', level.offset / VERITY_BLOCK_BYTES + block);
      }
    }
    expected = bytes;
  }
  let block = 0;
  const range = { offset: 0, blocks: header.dataBlocks, blockBytes: VERITY_BLOCK_BYTES };
  for await (const chunk of readBlocks(data, range)) {
    for (const bytes of chunk) {
      if (!hasDigest(digest(bytes), expected, block)) return bad('data', block);
      block++;
    }
  }
  return { verdict: 'pass', header };
}

function parseHeader(data: BlockReader, hashDevice: Uint8Array): VerityHeader | VerityVerdict {
  const broken = (reason: string): VerityVerdict => ({
    verdict: 'fail',
    reason,
    part: 'superblock',
    block: 0,
  });
  let header: VerityHeader;
  try {
    header = readSuperblock(hashDevice);
  } catch (error) {
    if (error instanceof PlinthError) return broken(error.message);
    throw error;
  }
  const needed = verityLayout(header.dataBlocks).sizeBytes;
  if (hashDevice.length < needed) {
    return broken(
      `the hash device has ${hashDevice.length} bytes, expected ${needed} for ${header.dataBlocks} blocks`,
    );
  }
  if (data.sizeBytes < header.dataBlocks * VERITY_BLOCK_BYTES) {
    return broken(
      `the data has ${data.sizeBytes} bytes, expected ${header.dataBlocks} blocks of ${VERITY_BLOCK_BYTES}`,
    );
  }
  return header;
}

function hasDigest(actual: Uint8Array, expected: Uint8Array, index: number): boolean {
  const at = index * VERITY_DIGEST_BYTES;
  return Buffer.compare(actual, expected.subarray(at, at + VERITY_DIGEST_BYTES)) === 0;
}

function bad(part: 'tree' | 'data', block: number): VerityVerdict {
  return {
    verdict: 'fail',
    reason: `${part} block ${block} does not have the digest the tree promises`,
    part,
    block,
  };
}
