import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isErrno } from '@plinth/host';

const POLL_MS = 100;
const CHUNK_BYTES = 64 * 1024;

/**
 * followFile yields a growing file's text from its start, and goes on until `isOver` says that no more will come and
 * all that came was given. A file that is not there yet is waited for. Aborting the signal ends it without an error.
 */
export async function* followFile(
  path: string,
  isOver: () => Promise<boolean>,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let file: FileHandle | undefined;
  let positionBytes = 0;
  try {
    while (!signal?.aborted) {
      // Asked before the read: what was written before the end is then certainly read.
      const over = await isOver();
      file ??= await openIfThere(path);
      let sizeBytes = 0;
      do {
        sizeBytes = (await file?.read(buffer, 0, CHUNK_BYTES, positionBytes))?.bytesRead ?? 0;
        positionBytes += sizeBytes;
        if (sizeBytes > 0) yield decoder.decode(buffer.subarray(0, sizeBytes), { stream: true });
      } while (sizeBytes > 0 && !signal?.aborted);
      if (over) return;
      await sleep(POLL_MS, undefined, { signal }).catch(() => {
        // Aborted: the loop's condition ends it.
      });
    }
  } finally {
    await file?.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (reason) {
    if (isErrno(reason, 'ENOENT')) return undefined;
    throw reason;
  }
}
