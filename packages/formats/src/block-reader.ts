import { PlinthError } from '@plinth/base';

/** Random access to bytes that may be larger than memory: a partition image, a slice of a disk. */
export interface BlockReader {
  readonly sizeBytes: number;
  /** Gives exactly `lengthBytes` bytes, or throws. The result may be overwritten by the next call. */
  read(offset: number, lengthBytes: number): Promise<Uint8Array>;
}

/** memoryReader serves bytes that are in memory. */
export function memoryReader(bytes: Uint8Array): BlockReader {
  return {
    sizeBytes: bytes.length,
    read: async (offset, lengthBytes) => bytes.subarray(offset, offset + lengthBytes),
  };
}

const CHUNK_BYTES = 1 << 20;

/** readBlocks walks a range in large reads and yields the blocks of each: one wait for 256 blocks, not one each. */
export async function* readBlocks(
  reader: BlockReader,
  range: { readonly offset: number; readonly blocks: number; readonly blockBytes: number },
): AsyncGenerator<readonly Uint8Array[]> {
  const { blockBytes } = range;
  const end = range.offset + range.blocks * blockBytes;
  const step = CHUNK_BYTES - (CHUNK_BYTES % blockBytes);
  for (let at = range.offset; at < end; at += step) {
    const wanted = Math.min(step, end - at);
    const chunk = await reader.read(at, wanted);
    // A short read must never pass for "all blocks were looked at".
    if (chunk.length !== wanted) {
      const state = `${chunk.length} bytes at byte ${at}, expected ${wanted}`;
      throw new PlinthError('formats/truncated', `Cannot read blocks: ${state}`);
    }
    yield Array.from({ length: chunk.length / blockBytes }, (_, index) =>
      chunk.subarray(index * blockBytes, (index + 1) * blockBytes),
    );
  }
}
