import { constants, zstdDecompressSync } from 'node:zlib';
import { VERITY_BLOCK_BYTES as BLOCK } from '@plinth/formats';

/** Of the window that a frame may ask memory for: a block fits in. */
const WINDOW_LOG_MAXIMUM = 12;

/**
 * unpackFrames decompresses frames of one block each.
 * @param lengths of the frames, in their order in `bytes`
 * @returns the blocks; undefined for each that is no frame of a block
 */
export function unpackFrames(bytes: Uint8Array, lengths: readonly number[]): (Uint8Array | undefined)[] {
  // Decoders go on from frame to frame: one call for all costs a tenth of one for each.
  const all = unpack(bytes, lengths.length);
  if (all) return lengths.map((_length, index) => all.subarray(index * BLOCK, (index + 1) * BLOCK));
  if (lengths.length === 1) return [undefined];
  let at = 0;
  return lengths.map((length) => {
    const frame = bytes.subarray(at, at + length);
    at += length;
    return unpack(frame, 1);
  });
}

function unpack(bytes: Uint8Array, blocks: number): Buffer | undefined {
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
