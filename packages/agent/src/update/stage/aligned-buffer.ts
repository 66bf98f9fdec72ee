import type { FileHandle } from 'node:fs/promises';
import { hasCode } from '../../sys/sys.ts';

/** What direct reads and writes are aligned to, in files and in memory; enough for every disk. */
export const ALIGN_BYTES = 4096;
/** Large allocations have pages of their own, with the allocator's header of 16 bytes at their start. */
const USUAL_SHIFT_BYTES = ALIGN_BYTES - 16;
const STEP_BYTES = 16;

/**
 * alignedBuffer gives memory at an address that the device takes for direct reads. The runtime does not tell addresses, so it is tried out.
 * @param handle open for direct reads
 */
export async function alignedBuffer(handle: FileHandle, sizeBytes: number): Promise<Buffer> {
  const memory = Buffer.from(new ArrayBuffer(sizeBytes + ALIGN_BYTES));
  for (let step = 0; step < ALIGN_BYTES / STEP_BYTES; step++) {
    const shift = (USUAL_SHIFT_BYTES + step * STEP_BYTES) % ALIGN_BYTES;
    try {
      await handle.read(memory, shift, ALIGN_BYTES, 0);
      return memory.subarray(shift, shift + sizeBytes);
    } catch (reason) {
      if (!hasCode(reason, 'EINVAL')) throw reason;
    }
  }
  throw new Error('the device takes no address for direct reads');
}
