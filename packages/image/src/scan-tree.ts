import { hash } from 'node:crypto';
import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ioError, mapParallel } from '@plinth/host';
import { compareText } from './compare-text.ts';
import type { BuiltTree, EntryKind, TreeEntry } from './types.ts';

/** File reads in flight at once; more only queues in libuv's thread pool. */
const PARALLEL_READS = 8;

/**
 * scanTree lists what lies below `rootDir`, without reading any file.
 * @param owners package names by path; a path that is not there was made by the builder ("plinth")
 * @throws host/io
 */
export async function scanTree(rootDir: string, owners: ReadonlyMap<string, string>): Promise<BuiltTree> {
  const entries: TreeEntry[] = [];
  let level = [''];
  while (level.length > 0) {
    const folders = await mapParallel(level, PARALLEL_READS, (folder) => scanFolder(rootDir, folder, owners));
    const found = folders.flat();
    for (const entry of found) entries.push(entry);
    level = found.filter((entry) => entry.kind === 'dir').map((entry) => entry.path);
  }
  return { rootDir, entries: entries.sort((a, b) => compareText(a.path, b.path)) };
}

/**
 * hashTree adds the content digests of every regular file.
 * @throws host/io
 */
export async function hashTree(tree: BuiltTree): Promise<BuiltTree> {
  const entries = await mapParallel(tree.entries, PARALLEL_READS, async (entry) =>
    entry.kind === 'file' ? { ...entry, ...(await hashEntry(join(tree.rootDir, entry.path))) } : entry,
  );
  return { rootDir: tree.rootDir, entries };
}

async function scanFolder(
  rootDir: string,
  folder: string,
  owners: ReadonlyMap<string, string>,
): Promise<TreeEntry[]> {
  const where = join(rootDir, folder);
  try {
    const children = await readdir(where, { withFileTypes: true });
    return await Promise.all(children.map((child) => scanEntry(where, folder, child, owners)));
  } catch (reason) {
    throw ioError(reason, `list ${where}`);
  }
}

async function scanEntry(
  where: string,
  folder: string,
  child: Dirent,
  owners: ReadonlyMap<string, string>,
): Promise<TreeEntry> {
  const path = `${folder}/${child.name}`;
  const stats = await lstat(join(where, child.name));
  const kind = kindOf(stats);
  return {
    path,
    kind,
    mode: stats.mode & 0o7777,
    sizeBytes: kind === 'file' ? stats.size : 0,
    owner: owners.get(path) ?? 'plinth',
    ...(kind === 'symlink' ? { target: await readlink(join(where, child.name)) } : {}),
  };
}

function kindOf(stats: Stats): EntryKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'dir';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isCharacterDevice()) return 'char';
  if (stats.isBlockDevice()) return 'block';
  return stats.isFIFO() ? 'fifo' : 'socket';
}

async function hashEntry(path: string): Promise<{ sha256: string; sha1: string }> {
  try {
    const bytes = await readFile(path);
    return { sha256: hash('sha256', bytes), sha1: hash('sha1', bytes) };
  } catch (reason) {
    throw ioError(reason, `read ${path}`);
  }
}
