import { PlinthError } from '@plinth/base';
import { type BlockReader, readBlocks } from '../block-reader.ts';
import { openBlockChecker, verifyTree } from './verify-tree.ts';
import { readSuperblock, VERITY_BLOCK_BYTES, type VerityHeader, verityLayout } from './verity-layout.ts';

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
  const tree = verifyTree(hashDevice, rootHash);
  if (tree.verdict === 'fail') return { ...tree, part: 'tree' };
  const isBlock = openBlockChecker(tree);
  let block = 0;
  const range = { offset: 0, blocks: header.dataBlocks, blockBytes: VERITY_BLOCK_BYTES };
  for await (const chunk of readBlocks(data, range)) {
    for (const bytes of chunk) {
      if (!isBlock(block, bytes)) {
        const reason = `data block ${block} does not have the digest the tree promises`;
        return { verdict: 'fail', reason, part: 'data', block };
      }
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
