import { constants, zstdCompressSync } from 'node:zlib';
import { VERITY_BLOCK_BYTES } from '@plinth/formats';

// Beside the root of a release lies the same file compressed block by block, so that what an update fetches is compressed on the wire:
// a zstd frame for each block in their order, and, in a frame that decoders skip, where each begins. `zstd -d` gives the root.

/** Blocks that one page of the index tells of. */
export const PACK_PAGE_BLOCKS = 64;
/** A page: where its first frame begins, 64 bits, and the length of each frame, 16 bits; all little-endian. */
export const PACK_PAGE_BYTES = 8 + PACK_PAGE_BLOCKS * 2;
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_HEADER_BYTES = 8;
/** A block that does not compress takes this much more than itself. */
const FRAME_OVERHEAD_BYTES = 64;
const LEVEL = 9;

/** Makes the packed form of a root, block by block. */
export interface BlockPacker {
  /** @param block VERITY_BLOCK_BYTES @returns the frame */
  add(block: Uint8Array): Buffer;
  /** What follows the last frame. */
  end(): Buffer;
}

/** openBlockPacker compresses each block by itself: the same blocks always give the same bytes. */
export function openBlockPacker(): BlockPacker {
  const lengths: number[] = [];
  return {
    add(block) {
      const frame = zstdCompressSync(block, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
      lengths.push(frame.length);
      return frame;
    },
    end() {
      const index = Buffer.alloc(packIndexBytes(lengths.length));
      index.writeUInt32LE(SKIPPABLE_MAGIC, 0);
      index.writeUInt32LE(index.length - SKIPPABLE_HEADER_BYTES, 4);
      let at = 0;
      for (const [block, length] of lengths.entries()) {
        const page = SKIPPABLE_HEADER_BYTES + Math.floor(block / PACK_PAGE_BLOCKS) * PACK_PAGE_BYTES;
        const place = block % PACK_PAGE_BLOCKS;
        if (place === 0) index.writeBigUInt64LE(BigInt(at), page);
        index.writeUInt16LE(length, page + 8 + place * 2);
        at += length;
      }
      return index;
    },
  };
}

/** Bytes behind the last frame. */
function packIndexBytes(blocks: number): number {
  return SKIPPABLE_HEADER_BYTES + Math.ceil(blocks / PACK_PAGE_BLOCKS) * PACK_PAGE_BYTES;
}

/** packPageOffset says where a page of the index lies. @param packBytes size of the packed file, of so many blocks */
export function packPageOffset(packBytes: number, blocks: number, page: number): number {
  return packBytes - packIndexBytes(blocks) + SKIPPABLE_HEADER_BYTES + page * PACK_PAGE_BYTES;
}

/** Where the frames of some blocks in a row lie. */
export interface PackPage {
  /** The first block it tells of. */
  readonly first: number;
  /** Where each of its frames begins, and where the last one ends: one more than there are blocks. */
  readonly offsets: readonly number[];
}

/** readPackPage reads a page; undefined when it cannot be one. It is a guess all the same: blocks are checked by their digest. */
export function readPackPage(
  bytes: Buffer,
  packBytes: number,
  blocks: number,
  page: number,
): PackPage | undefined {
  const first = page * PACK_PAGE_BLOCKS;
  const count = Math.min(PACK_PAGE_BLOCKS, blocks - first);
  if (bytes.length !== PACK_PAGE_BYTES || first < 0 || count <= 0) return undefined;
  const framesEnd = BigInt(packBytes - packIndexBytes(blocks));
  const start = bytes.readBigUInt64LE(0);
  if (start > framesEnd) return undefined;
  const offsets = [Number(start)];
  for (let place = 0; place < count; place++) {
    const length = bytes.readUInt16LE(8 + place * 2);
    if (length === 0 || length > VERITY_BLOCK_BYTES + FRAME_OVERHEAD_BYTES) return undefined;
    offsets.push((offsets[place] ?? 0) + length);
  }
  return BigInt(offsets[count] ?? 0) <= framesEnd ? { first, offsets } : undefined;
}
