import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, posix } from 'node:path';
import { readElf } from '@plinth/formats';
import { isErrno } from '@plinth/host';
import type { TreeView } from '../initrd/plan-initrd.ts';

/** openTree answers the initrd planner's questions from a tree on disk. Links are resolved inside the tree, never outside. */
export function openTree(root: string): TreeView {
  const at = (path: string) => join(root, resolveParents(root, path));
  return {
    kind(path) {
      try {
        const stats = lstatSync(at(path));
        return stats.isSymbolicLink() ? 'symlink' : stats.isDirectory() ? 'directory' : 'file';
      } catch (reason) {
        if (isErrno(reason, 'ENOENT') || isErrno(reason, 'ENOTDIR')) return undefined;
        throw reason;
      }
    },
    linkTarget: (path) => resolveParents(root, posix.resolve(posix.dirname(path), readlinkSync(at(path)))),
    list(folder) {
      try {
        return readdirSync(at(folder)).sort();
      } catch (reason) {
        if (isErrno(reason, 'ENOENT')) return [];
        throw reason;
      }
    },
    neededLibraries: (path) => readElf(readFileSync(at(path)))?.needed ?? [],
    text: (path) => readFileSync(at(path), 'utf8'),
  };
}

/** Follows links in the folders of a path (/lib -> usr/lib), so that "/lib/x" and "/usr/lib/x" are the same file. */
function resolveParents(root: string, path: string, depth = 0): string {
  let resolved = '/';
  const parts = path.split('/').filter(Boolean);
  for (const [index, part] of parts.entries()) {
    const next = posix.join(resolved, part);
    const last = index === parts.length - 1;
    if (last || depth > 16) return next;
    const target = linkAt(join(root, next));
    resolved =
      target === undefined
        ? next
        : resolveParents(root, posix.join(posix.resolve(resolved, target), '.'), depth + 1);
  }
  return resolved;
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // Not a link, or not there: both mean that nothing has to be followed.
    return undefined;
  }
}
