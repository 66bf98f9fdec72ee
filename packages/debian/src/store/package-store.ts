import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, hashFile, ioError, isErrno } from '@plinth/host';

/** What identifies a file in the store. */
export interface StoredFile {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Verified package files, each under its own digest. */
export interface PackageStore {
  readonly root: string;
  /** Where the file is, or will be. */
  pathOf(file: StoredFile): string;
  /**
   * The path when the file is there and is what its name says; a damaged one is deleted. A file is hashed once in a
   * process, later only its size is looked at.
   */
  find(file: StoredFile): Promise<string | undefined>;
}

/** openPackageStore opens the store below `root`, by default the user's cache directory. */
export function openPackageStore(root: string = join(cacheDir(), 'packages')): PackageStore {
  const verified = new Set<string>();
  const pathOf = ({ sha256 }: StoredFile) => join(root, `${sha256}.deb`);
  return {
    root,
    pathOf,
    find: async (file) => {
      const path = pathOf(file);
      if ((await sizeOf(path)) !== file.sizeBytes) return undefined;
      if (!verified.has(file.sha256)) {
        if ((await hashFile(path)).sha256 !== file.sha256) {
          await rm(path, { force: true });
          return undefined;
        }
        verified.add(file.sha256);
      }
      return path;
    },
  };
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (reason) {
    if (isErrno(reason, 'ENOENT')) return undefined;
    throw ioError(reason, `look at ${path}`);
  }
}
