import { constants, zstdDecompressSync } from 'node:zlib';
import { VERITY_BLOCK_BYTES as BLOCK } from '@plinth/formats';

/** Of the window that a frame may ask memory for: a block fits in. */
const WINDOW_LOG_MAXIMUM = 12;

/**
 * unpackBlocks decompresses frames of one block each that follow each other: one call for many costs a tenth of one for each.
 * @returns the blocks; undefined when these are not just so many frames of a block
 */
export function unpackBlocks(bytes: Uint8Array, blocks: number): Buffer | undefined {
  try {
    const made = zstdDecompressSync(bytes, {
      maxOutputLength: blocks * BLOCK,
      chunkSize: blocks * BLOCK,
      params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAXIMUM },
    });
    return made.length === blocks * BLOCK ? made : undefined;
  } catch {
    return undefined; // not what was asked for; whoever sent it is not told apart from a broken line
  }
}
