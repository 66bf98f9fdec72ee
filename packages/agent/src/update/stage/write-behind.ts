import { type BlockFile, PIECE_BYTES } from './block-file.ts';

/** What a power cut can cost of the work that is done. */
const FLUSH_BYTES = 16 * 1024 * 1024;

/**
 * writeBehind lets the caller go on while one write is under way, and flushes now and then. A write that failed fails the next call, at
 * the latest `flush`.
 * @param flushed hears of what was written once it is on the medium
 */
export function writeBehind(
  file: BlockFile,
  flushed: (offset: number, sizeBytes: number) => void = () => {},
): BlockFile {
  let written: { offset: number; sizeBytes: number }[] = [];
  let pendingBytes = 0;
  let pending: Promise<void> = Promise.resolve();
  const flush = async () => {
    await pending;
    pendingBytes = 0;
    const lasting = written;
    written = [];
    await file.flush();
    for (const { offset, sizeBytes } of lasting) flushed(offset, sizeBytes);
  };
  const note = (offset: number, sizeBytes: number) => {
    const last = written.at(-1);
    if (last && last.offset + last.sizeBytes === offset) last.sizeBytes += sizeBytes;
    else written.push({ offset, sizeBytes });
    pendingBytes += sizeBytes;
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
      if (pendingBytes >= FLUSH_BYTES) await flush();
      note(offset, bytes.length);
      if (bytes.length > PIECE_BYTES) return file.write(offset, bytes);
      pending = file.write(offset, bytes);
      pending.catch(() => {}); // the next call tells
    },
    async close() {
      await pending.catch(() => {});
      await file.close();
    },
  };
}
