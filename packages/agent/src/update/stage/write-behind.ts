import type { BlockFile } from './block-file.ts';

/** What a power cut can cost of the work that is done. */
const FLUSH_BYTES = 16 * 1024 * 1024;
const MOST_BYTES = 256 * 1024;

/**
 * writeBehind lets the caller go on while one write is under way, and flushes now and then. A write that failed fails the next call, at
 * the latest `flush`.
 */
export function writeBehind(file: BlockFile): BlockFile {
  const held = Buffer.alloc(MOST_BYTES);
  let pendingBytes = 0;
  let pending: Promise<void> = Promise.resolve();
  const flush = async () => {
    await pending;
    pendingBytes = 0;
    await file.flush();
  };
  return {
    sizeBytes: file.sizeBytes,
    flush,
    async read(offset, lengthBytes) {
      await pending;
      return file.read(offset, lengthBytes);
    },
    async write(offset, bytes) {
      await pending;
      if (bytes.length > MOST_BYTES) return file.write(offset, bytes);
      held.set(bytes);
      if (pendingBytes >= FLUSH_BYTES) await flush();
      pendingBytes += bytes.length;
      pending = file.write(offset, held.subarray(0, bytes.length));
      pending.catch(() => {}); // the next call tells
    },
    async close() {
      await pending.catch(() => {});
      await file.close();
    },
  };
}
