import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { ioError, isErrno } from '@plinth/host';
import { REPOSITORY } from '@plinth/updates';

/** A file of the repository, open. */
export interface ServedFile {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  /** Strong: another file under the name has another one. */
  readonly etag: string;
  readonly modified: Date;
  readonly contentType: string;
}

const FOLDERS: readonly string[] = Object.values(REPOSITORY);

/**
 * openServedFile opens what a path of a request names; undefined for whatever is no plain file of the three folders: hidden and
 * half-written files, folders, links that lead out.
 * @param requestPath as it came, with its escapes
 * @throws host/io
 */
export async function openServedFile(repoDir: string, requestPath: string): Promise<ServedFile | undefined> {
  const path = locate(repoDir, requestPath);
  if (path === undefined) return undefined;
  let handle: FileHandle | undefined;
  try {
    const real = await realpath(path);
    if (!real.startsWith(`${await realpath(repoDir)}${sep}`)) return undefined;
    handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) return undefined;
    const file: ServedFile = {
      handle,
      sizeBytes: Number(stats.size),
      etag: `"${[stats.ino, stats.size, stats.mtimeNs].map((part) => part.toString(16)).join('-')}"`,
      modified: new Date(Number(stats.mtimeMs)),
      contentType: path.endsWith('.json') ? 'application/json' : 'application/octet-stream',
    };
    handle = undefined;
    return file;
  } catch (reason) {
    const isAbsent = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EACCES'].some((code) =>
      isErrno(reason, code),
    );
    if (isAbsent) return undefined;
    throw ioError(reason, `serve ${path}`);
  } finally {
    await handle?.close();
  }
}

/** The file that a path names, if it may be asked for at all. */
function locate(repoDir: string, requestPath: string): string | undefined {
  const [encoded = ''] = requestPath.split('?', 1);
  let decoded: string;
  try {
    decoded = decodeURIComponent(encoded);
  } catch {
    // Escapes that are none name nothing.
    return undefined;
  }
  const [root, folder = '', ...names] = decoded.split('/');
  if (root !== '' || !FOLDERS.includes(folder) || names.length === 0) return undefined;
  const isPlain = names.every(
    (name) => /^[^\p{Cc}\\]+$/u.test(name) && !name.startsWith('.') && !name.endsWith('.tmp'),
  );
  return isPlain ? join(repoDir, folder, ...names) : undefined;
}
