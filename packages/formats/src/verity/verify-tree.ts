import { fromHex } from '../bytes.ts';
import { blockDigester, blockHasher } from './block-hasher.ts';
import {
  readSuperblock,
  VERITY_BLOCK_BYTES,
  VERITY_DIGEST_BYTES,
  type VerityHeader,
  verityLayout,
} from './verity-layout.ts';

/** A hash tree that a root hash vouches for. */
export interface VerityTree {
  readonly header: VerityHeader;
  /** Digests of the data blocks, 32 bytes each, in order: a view on the tree. */
  readonly leaves: Uint8Array;
}

export type VerityTreeVerdict =
  | ({ readonly verdict: 'pass' } & VerityTree)
  | {
      readonly verdict: 'fail';
      readonly reason: string;
      /** First bad block, counted from the start of the hash device. */
      readonly block: number;
    };

/**
 * verifyTree checks a hash tree alone against a root hash, before any of the data is there. After it each data block can be checked
 * by itself, see openBlockChecker.
 * @param hashDevice superblock and tree; padding behind is allowed
 * @param rootHash hexadecimal
 * @throws formats/verity-invalid, formats/truncated, formats/limit: no such hash device
 */
export function verifyTree(hashDevice: Uint8Array, rootHash: string): VerityTreeVerdict {
  const header = readSuperblock(hashDevice);
  const { levels, sizeBytes } = verityLayout(header.dataBlocks);
  if (hashDevice.length < sizeBytes) {
    const reason = `the hash device has ${hashDevice.length} bytes, expected ${sizeBytes} for ${header.dataBlocks} blocks`;
    return { verdict: 'fail', reason, block: 0 };
  }
  const digest = blockHasher(header.salt);
  // Digests that the blocks below must have; starts with the one that is trusted.
  let expected = fromHex(rootHash) ?? new Uint8Array();
  if (expected.length !== VERITY_DIGEST_BYTES) {
    return { verdict: 'fail', reason: `"${rootHash.slice(0, 80)}" is no SHA-256 root hash`, block: 0 };
  }
  for (const level of levels.toReversed()) {
    const bytes = hashDevice.subarray(level.offset, level.offset + level.blocks * VERITY_BLOCK_BYTES);
    for (let block = 0; block < level.blocks; block++) {
      const start = block * VERITY_BLOCK_BYTES;
      if (!isDigest(digest(bytes.subarray(start, start + VERITY_BLOCK_BYTES)), expected, block)) {
        const bad = level.offset / VERITY_BLOCK_BYTES + block;
        return {
          verdict: 'fail',
          reason: `tree block ${bad} does not have the digest the tree promises`,
          block: bad,
        };
      }
    }
    expected = bytes;
  }
  return { verdict: 'pass', header, leaves: expected.subarray(0, header.dataBlocks * VERITY_DIGEST_BYTES) };
}

/**
 * readTree gives header and leaves of a hash tree without checking it: good enough to guess by, never to trust.
 * @throws formats/verity-invalid, formats/truncated, formats/limit
 */
export function readTree(hashDevice: Uint8Array): VerityTree | undefined {
  const header = readSuperblock(hashDevice);
  const { levels } = verityLayout(header.dataBlocks);
  const start = levels[0]?.offset ?? 0;
  const end = start + header.dataBlocks * VERITY_DIGEST_BYTES;
  // One data block has no tree: its digest is the root hash.
  if (levels.length === 0 || hashDevice.length < end) return undefined;
  return { header, leaves: hashDevice.subarray(start, end) };
}

/**
 * openBlockChecker gives a function that tells whether bytes are a data block of a verified tree.
 * @returns (index of the block, its 4096 bytes) → true when they are
 */
export function openBlockChecker(tree: VerityTree): (block: number, bytes: Uint8Array) => boolean {
  const digest = blockHasher(tree.header.salt);
  const { dataBlocks } = tree.header;
  return (block, bytes) =>
    block >= 0 &&
    block < dataBlocks &&
    bytes.length === VERITY_BLOCK_BYTES &&
    isDigest(digest(bytes), tree.leaves, block);
}

/**
 * openBlocksChecker gives a function that tells how many blocks at the start of some bytes are those of a verified tree.
 * @returns (index of the first, bytes of whole blocks) → how many of them are good before the first that is not
 */
export function openBlocksChecker(tree: VerityTree): (first: number, bytes: Uint8Array) => number {
  const digest = blockDigester(tree.header.salt);
  const leaves = asBuffer(tree.leaves);
  return (first, bytes) => {
    const memory = asBuffer(bytes);
    const most = Math.min(Math.floor(bytes.length / VERITY_BLOCK_BYTES), tree.header.dataBlocks - first);
    if (first < 0) return 0;
    for (let block = 0; block < most; block++) {
      const at = (first + block) * VERITY_DIGEST_BYTES;
      const expected = leaves.toString('latin1', at, at + VERITY_DIGEST_BYTES);
      if (digest(memory, block * VERITY_BLOCK_BYTES) !== expected) return block;
    }
    return Math.max(most, 0);
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** isDigest compares with the digest at a place of a list of digests; one that is not there is not equal. */
export function isDigest(actual: Uint8Array, expected: Uint8Array, index: number): boolean {
  const at = index * VERITY_DIGEST_BYTES;
  return Buffer.compare(actual, expected.subarray(at, at + VERITY_DIGEST_BYTES)) === 0;
}
