import { chmod, copyFile, link, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ioError, isErrno, mapParallel } from '@plinth/host';
import type { PlannedEntry, TreePlan } from './plan-tree.ts';

const SETUID_SETGID = 0o6000;

/**
 * applyTree makes the planned tree below `root`. Files are hard links into the unpacked packages,
 * so later steps must replace files and never write into them.
 * @throws host/io, host/disk-full
 */
export async function applyTree(plan: TreePlan, root: string): Promise<void> {
  const [folders, rest] = partition(plan.entries, (entry) => entry.kind === 'directory');
  try {
    for (const folder of folders) await makeFolder(join(root, folder.path), folder.mode);
    await mapParallel(rest, 16, (entry) => place(entry, join(root, entry.path)));
  } catch (reason) {
    throw ioError(reason, `assemble ${root}`);
  }
}

/** makeFolder makes one folder with exactly that mode, whatever the umask; one that is there keeps its own. */
export async function makeFolder(path: string, mode: number): Promise<void> {
  if ((await mkdir(path, { recursive: true })) !== undefined) await chmod(path, mode);
}

/** replaceFile writes a new file at a path, never into the one that may be shared with a package's folder. */
export async function replaceFile(path: string, data: string | Uint8Array, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  await writeFile(path, data);
  await chmod(path, mode);
}

async function place(entry: PlannedEntry, target: string): Promise<void> {
  if (entry.kind === 'symlink') return symlink(entry.target ?? '', target);
  if (entry.mode & SETUID_SETGID) {
    // Nobody logs in, so nobody needs to become root; the bit goes, on a copy of its own.
    await copyFile(entry.source, target);
    return chmod(target, entry.mode & ~SETUID_SETGID);
  }
  try {
    await link(entry.source, target);
  } catch (reason) {
    if (!isErrno(reason, 'EXDEV')) throw reason;
    await copyFile(entry.source, target);
    await chmod(target, entry.mode);
  }
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const yes: T[] = [];
  const no: T[] = [];
  for (const item of items) (test(item) ? yes : no).push(item);
  return [yes, no];
}
