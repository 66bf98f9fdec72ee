import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ioError } from '@plinth/host';

/** One entry of an unpacked package, at its place in the image. */
export interface PackageEntry {
  /** Absolute path in the image, below /usr where trixie's aliases point. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  readonly sizeBytes: number;
  readonly target?: string;
  /** Starts with "#!": no interpreter of the image could run it. */
  readonly script: boolean;
  /** Where the bytes are on this machine. */
  readonly source: string;
}

/** Trixie's root is merged: /bin, /lib, /lib64 and /sbin are links into /usr (base-files). */
const ALIAS = /^\/(bin|sbin|lib|lib64)(?=\/)/;

/**
 * scanPackage lists what one unpacked package ships.
 * @param root folder the package was unpacked into
 * @throws host/io
 */
export async function scanPackage(root: string): Promise<PackageEntry[]> {
  const entries: PackageEntry[] = [];
  const visit = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      const relative = `${folder}/${entry.name}`;
      const source = join(root, relative);
      const stats = await lstat(source);
      const path = relative.replace(ALIAS, '/usr/$1');
      const common = { path, mode: stats.mode & 0o7777, sizeBytes: 0, script: false, source };
      if (entry.isDirectory()) {
        entries.push({ ...common, kind: 'directory' });
        await visit(relative);
      } else if (entry.isSymbolicLink()) {
        entries.push({ ...common, kind: 'symlink', target: await readlink(source) });
      } else if (entry.isFile()) {
        const script = stats.size > 2 && (await startsWithShebang(source));
        entries.push({ ...common, kind: 'file', sizeBytes: stats.size, script });
      }
      // Packages of the image ship no sockets, pipes or devices; one that did would be left out here and missed by its user.
    }
  };
  try {
    await visit('');
  } catch (reason) {
    throw ioError(reason, `list ${root}`);
  }
  return entries;
}

async function startsWithShebang(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer.toString('latin1') === '#!';
  } finally {
    await file.close();
  }
}
