import { posix } from 'node:path';
import type { BuiltTree, TreeEntry } from '../types.ts';

/** path_resolution(7): the kernel gives up after 40 links. */
const LINK_LIMIT = 40;

/** Looks paths up in a tree as the kernel would, links included, without touching the disk. */
export interface TreeIndex {
  at(path: string): TreeEntry | undefined;
  /** Follows every link; undefined where that leads nowhere. The root resolves to "/". */
  resolve(path: string): string | undefined;
}

/** indexTree makes the index of a tree. */
export function indexTree(tree: BuiltTree): TreeIndex {
  const byPath = new Map(tree.entries.map((entry) => [entry.path, entry]));
  return {
    at: (path) => byPath.get(path),
    resolve: (path) => resolve(byPath, path),
  };
}

/** linkTarget is the absolute path a link names, its own folder taken as it is written. */
export function linkTarget(entry: TreeEntry): string {
  return posix.resolve(posix.dirname(entry.path), entry.target ?? '');
}

function resolve(byPath: ReadonlyMap<string, TreeEntry>, path: string): string | undefined {
  const pending = path.split('/');
  let at = '';
  let linksLeft = LINK_LIMIT;
  while (pending.length > 0) {
    const step = pending.shift();
    if (step === undefined || step === '' || step === '.') continue;
    if (step === '..') {
      at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
      continue;
    }
    const entry = byPath.get(`${at}/${step}`);
    if (!entry) return undefined;
    if (entry.target === undefined) {
      at = entry.path;
      continue;
    }
    if (linksLeft-- === 0) return undefined;
    if (entry.target.startsWith('/')) at = '';
    pending.unshift(...entry.target.split('/'));
  }
  return at === '' ? '/' : at;
}
