import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, type FileHandle, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { isErrno } from './process.ts';

/**
 * writeFileAtomic replaces a file whole or not at all: temporary file beside it, fsync, rename, fsync of the folder.
 * @throws host/disk-full, host/io
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array, mode = 0o644): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (reason) {
    await rm(temporary, { force: true });
    throw ioError(reason, `write ${path}`);
  }
}

/** syncDirectory makes renames inside a folder durable. */
export async function syncDirectory(path: string): Promise<void> {
  const folder: FileHandle = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Turns a system error into host/disk-full or host/io; `what` is "<verb> <object>". */
export function ioError(reason: unknown, what: string): PlinthError {
  if (isErrno(reason, 'ENOSPC')) {
    return new PlinthError('host/disk-full', `Cannot ${what}: no space left on the file system`, {
      cause: reason,
    });
  }
  return PlinthError.from(reason, 'host/io', `Cannot ${what}`);
}

/** hashFile streams a file through SHA-256; lower-case hex. */
export async function hashFile(path: string): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      sizeBytes += chunk.length;
    }
  } catch (reason) {
    throw ioError(reason, `read ${path}`);
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

/** hashText gives the SHA-256 of a text or bytes; lower-case hex. */
export function hashText(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** exists tells whether anything, a dangling link included, is at the path. */
export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (reason) {
    if (isErrno(reason, 'ENOENT') || isErrno(reason, 'ENOTDIR')) return false;
    throw ioError(reason, `look at ${path}`);
  }
}

/** removeTree deletes a folder even where package files left it read-only for its owner. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 2 });
  } catch (reason) {
    if (!isErrno(reason, 'EACCES') && !isErrno(reason, 'ENOTEMPTY')) throw ioError(reason, `remove ${path}`);
    await makeWritable(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function makeWritable(path: string): Promise<void> {
  await chmod(path, 0o755);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(path, entry.name));
  }
}
