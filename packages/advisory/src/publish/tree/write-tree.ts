import { randomBytes } from 'node:crypto';
import {
  chmod,
  copyFile,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rmdir,
  symlink,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ioError, isErrno, mapParallel, removeTree, syncDirectory } from '@plinth/host';
import { isLink, treeInvalid, treesFolder } from './open-tree.ts';

const WRITERS = 8;
/** What may read a tree, whatever the umask: a web server runs as somebody else. */
const PUBLIC_MODE = 0o644;
const PUBLIC_FOLDER_MODE = 0o755;

/** A file of the new tree: its bytes, and where the same bytes may lie already. */
export interface TreeFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
  /** The same file in the tree before this one. */
  readonly before?: string;
}

/** What writing a tree took. */
export interface WrittenTree {
  readonly written: number;
  /** Files that lay there already and were linked. */
  readonly kept: number;
}

/**
 * writeTree writes a tree beside the one that is published, makes it durable, and puts it in its place by one rename: a reader finds the
 * tree before or the tree after, whole, also when this process is killed. The tree before stays until the next publication, for
 * readers that are in the middle of it.
 * @param files paths of plain names
 * @throws advisory/tree-invalid when something else is at the place, host/io, host/disk-full
 */
export async function writeTree(
  treeDir: string,
  sequence: number,
  files: readonly TreeFile[],
): Promise<WrittenTree> {
  const place = resolve(treeDir);
  const trees = treesFolder(place);
  await requireOwnPlace(place, trees);
  const work = join(trees, `${sequence}.tmp`);
  const done = join(trees, String(sequence));
  try {
    // What is left of a publication that was killed: the link leads to neither.
    for (const left of [work, done]) await removeTree(left);
    const folders = [...new Set(files.map(({ path }) => dirname(join(work, path))))];
    for (const folder of folders) await mkdir(folder, { recursive: true });
    for (const folder of [trees, ...withParents(folders, work)]) await chmod(folder, PUBLIC_FOLDER_MODE);
    const kept = await mapParallel(files, WRITERS, async (file) => {
      const path = join(work, file.path);
      if (file.before !== undefined && (await keep(file.before, path, file.bytes))) return 1;
      await writeDurably(path, file.bytes);
      return 0;
    });
    for (const folder of withParents(folders, work)) await syncDirectory(folder);
    await rename(work, done);
    await syncDirectory(trees);
    await showTree(place, join(basename(trees), String(sequence)));
    const keptCount = kept.reduce<number>((sum, one) => sum + one, 0);
    return { written: files.length - keptCount, kept: keptCount };
  } catch (reason) {
    throw ioError(reason, `publish to ${treeDir}`);
  }
}

async function requireOwnPlace(place: string, trees: string): Promise<void> {
  if (await isLink(place)) {
    const target = resolve(dirname(place), await readlink(place));
    if (dirname(target) !== trees)
      throw treeInvalid(place, `it is a link to ${target}`, 'a place of its own for advisories');
    return;
  }
  const names = await readdir(place).catch((reason: unknown) => {
    if (isErrno(reason, 'ENOENT')) return [];
    throw ioError(reason, `list ${place}`);
  });
  if (names.length > 0) throw treeInvalid(place, 'it has other files in it', 'a new or an empty folder');
}

/** True when the file before has these bytes and is linked. Files of a tree never change in place. */
async function keep(before: string, path: string, bytes: Uint8Array): Promise<boolean> {
  const same = await readFile(before).then(
    (found) => found.equals(bytes),
    // What cannot be read is written anew.
    () => false,
  );
  if (!same) return false;
  try {
    await link(before, path);
  } catch (reason) {
    const cannot = ['EXDEV', 'EPERM', 'EOPNOTSUPP', 'EMLINK'].some((code) => isErrno(reason, code));
    if (!cannot) throw reason;
    await copyFile(before, path);
    await syncFile(path);
  }
  return true;
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, 'wx', PUBLIC_MODE);
  await file.writeFile(bytes);
  await file.chmod(PUBLIC_MODE);
  await file.sync();
}

async function syncFile(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.sync();
}

/** Folders, and those between them and the root, deepest first. */
function withParents(folders: readonly string[], root: string): readonly string[] {
  const all = new Set([root]);
  for (const folder of folders) for (let at = folder; at.length > root.length; at = dirname(at)) all.add(at);
  return [...all].toSorted((left, right) => right.length - left.length);
}

async function showTree(place: string, target: string): Promise<void> {
  const fresh = `${place}.${randomBytes(6).toString('hex')}.tmp`;
  await symlink(target, fresh);
  if (!(await isLink(place))) {
    // An empty folder that somebody made for this.
    await rmdir(place).catch((reason: unknown) => {
      if (!isErrno(reason, 'ENOENT')) throw reason;
    });
  }
  await rename(fresh, place);
  await syncDirectory(dirname(place));
}

/** removeOldTrees removes what no reader can be in any more: all but the newest two, and links of publications that were killed. */
export async function removeOldTrees(treeDir: string, sequence: number): Promise<void> {
  const place = resolve(treeDir);
  const trees = treesFolder(place);
  try {
    for (const name of await readdir(trees)) {
      const [, number, half] = /^(\d+)(\.tmp)?$/.exec(name) ?? [];
      // Whatever else is there, the lock above all, is not a tree.
      if (number === undefined) continue;
      const isKept = half === undefined && Number(number) >= sequence - 1 && Number(number) <= sequence;
      if (!isKept) await removeTree(join(trees, name));
    }
    const start = `${basename(place)}.`;
    for (const name of await readdir(dirname(place)))
      if (name.startsWith(start) && /^[0-9a-f]{12}\.tmp$/.test(name.slice(start.length)))
        await removeTree(join(dirname(place), name));
  } catch (reason) {
    throw ioError(reason, `clear ${trees}`);
  }
}
