import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { exists, ioError, syncDirectory } from '@plinth/host';
import { usageError } from '../framework/usage-error.ts';

/** expectNewFile refuses a path where something is already. @throws cli/usage */
export async function expectNewFile(path: string): Promise<void> {
  if (await exists(path)) throw usageError(`${path} exists, expected a new file`);
}

/**
 * saveNewFile writes what comes to a new file, whole or not at all, readable for its owner only.
 * @param onWritten told the bytes so far
 * @returns its size in bytes
 * @throws cli/usage when the file exists; host/disk-full, host/io, and what `content` throws
 */
export async function saveNewFile(
  path: string,
  content: AsyncIterable<Uint8Array | string>,
  onWritten: (sizeBytes: number) => void = () => {},
): Promise<number> {
  await expectNewFile(path);
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    let sizeBytes = 0;
    {
      await using file = await open(temporary, 'wx', 0o600);
      for await (const chunk of content) {
        await file.writeFile(chunk);
        sizeBytes += Buffer.byteLength(chunk);
        onWritten(sizeBytes);
      }
      await file.sync();
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
    return sizeBytes;
  } catch (reason) {
    await rm(temporary, { force: true });
    throw ioError(reason, `write ${path}`);
  }
}
