import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, copyFile, link, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hashFile, ioError, isErrno, syncDirectory } from '@plinth/host';

/** What may read a published file: a web server runs as somebody else. */
const PUBLIC_MODE = 0o644;

/**
 * placeFile puts a file into a repository, whole or not at all: as a hard link where the file system allows one and others
 * may read the file, else as a copy.
 * @returns false when the same content is there already
 * @throws host/io, host/disk-full
 */
export async function placeFile(from: string, to: string, sha256: string): Promise<boolean> {
  if (await isSame(to, sha256)) return false;
  const temporary = `${to}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(to), { recursive: true });
    if (!(await linkFile(from, temporary))) {
      await copyFile(from, temporary, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
      await chmod(temporary, PUBLIC_MODE);
    }
    await syncFile(temporary);
    await rename(temporary, to);
    await syncDirectory(dirname(to));
    return true;
  } catch (reason) {
    throw ioError(reason, `publish ${to}`);
  } finally {
    // rename(2) of two links to one file does nothing and leaves both.
    await rm(temporary, { force: true });
  }
}

async function isSame(path: string, sha256: string): Promise<boolean> {
  try {
    await stat(path);
  } catch (reason) {
    if (isErrno(reason, 'ENOENT')) return false;
    throw ioError(reason, `look at ${path}`);
  }
  return (await hashFile(path)).sha256 === sha256;
}

/** False where a link cannot be: another file system, a file system without links, a file that others may not read. */
async function linkFile(from: string, to: string): Promise<boolean> {
  if (((await stat(from)).mode & 0o004) === 0) return false;
  try {
    await link(from, to);
    return true;
  } catch (reason) {
    const cannot = ['EXDEV', 'EPERM', 'EOPNOTSUPP', 'EMLINK'].some((code) => isErrno(reason, code));
    if (cannot) return false;
    throw reason;
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
