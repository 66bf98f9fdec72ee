import { close, closeSync, createReadStream, open, openSync, read, readSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { splitLines } from './split-lines.ts';

/** Bound on a file; the largest that is read whole, mountinfo of a full node, is near 200 KiB. */
export const READ_LIMIT_BYTES = 1024 * 1024;
const FIRST_BYTES = 4 * 1024;
const NEXT_BYTES = 64 * 1024;

/**
 * readBounded gives a file up to `limitBytes`. Kernel files have no size and may give less than asked for, so they are read
 * until nothing comes. Callbacks and not promises: hundreds of files of /proc are read for one answer, and it takes a quarter
 * of the time.
 */
export function readBounded(path: string, limitBytes: number = READ_LIMIT_BYTES): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    open(path, 'r', (failed, file) => {
      if (failed) {
        reject(failed);
        return;
      }
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      const end = (reason: Error | null) =>
        close(file, () => {
          if (reason) reject(reason);
          else resolve(Buffer.concat(chunks).subarray(0, limitBytes));
        });
      const next = () => {
        const buffer = Buffer.allocUnsafe(sizeBytes === 0 ? FIRST_BYTES : NEXT_BYTES);
        read(file, buffer, 0, buffer.length, null, (reason, bytesRead) => {
          if (reason || bytesRead === 0) {
            end(reason);
            return;
          }
          chunks.push(buffer.subarray(0, bytesRead));
          sizeBytes += bytesRead;
          if (sizeBytes < limitBytes) next();
          else end(null);
        });
      };
      next();
    });
  });
}

const now = Buffer.alloc(16 * 1024);

/**
 * readAtOnce gives the first 16 KiB of a file that the kernel makes from what it has in memory, without a trip to another thread.
 * Everything else waits as long as it takes: never for files on a disk, or of a process's own memory.
 */
export function readAtOnce(path: string): string {
  const file = openSync(path, 'r');
  try {
    let sizeBytes = 0;
    for (let bytesRead = -1; bytesRead !== 0 && sizeBytes < now.length; sizeBytes += bytesRead)
      bytesRead = readSync(file, now, sizeBytes, now.length - sizeBytes, null);
    return now.toString('utf8', 0, sizeBytes);
  } finally {
    closeSync(file);
  }
}

/** readFileLines gives the lines of a file of any size, a piece at a time. */
export function readFileLines(path: string): AsyncGenerator<readonly string[]> {
  return splitLines(createReadStream(path, { highWaterMark: NEXT_BYTES }));
}

/** readRange gives bytes of a file or a drive from a place on, at most READ_LIMIT_BYTES; fewer at the end. */
export async function readRange(path: string, offset: number, lengthBytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.min(lengthBytes, READ_LIMIT_BYTES));
  await using file = await openFile(path, 'r');
  let sizeBytes = 0;
  while (sizeBytes < buffer.length) {
    const { bytesRead } = await file.read(buffer, sizeBytes, buffer.length - sizeBytes, offset + sizeBytes);
    if (bytesRead === 0) break;
    sizeBytes += bytesRead;
  }
  return buffer.subarray(0, sizeBytes);
}
