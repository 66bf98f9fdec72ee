import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ioError, isErrno, writeFileAtomic } from '@plinth/host';
import { REPOSITORY } from '@plinth/updates';
import type { TargetList } from './plan-renewal.ts';

// A file that leaves the signed list stays where it is for a while: readers may have the list of before. Since when it is of no use is
// told by an empty file of the same name: the file itself is as old as its release.

const FOLDER = '.withdrawn';

/** noteWithdrawn remembers that files leave the list, before they do. @throws host/io */
export async function noteWithdrawn(repoDir: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const folder = join(repoDir, FOLDER);
  try {
    await mkdir(folder, { recursive: true });
    for (const name of names) await writeFileAtomic(join(folder, name), '');
  } catch (reason) {
    throw ioError(reason, `write ${folder}`);
  }
}

/**
 * removeWithdrawn takes away files that left the list long enough ago; one that is in the list again stays.
 * @param keptMs how long they stay
 * @throws host/io
 */
export async function removeWithdrawn(
  repoDir: string,
  targets: TargetList,
  now: Date,
  keptMs: number,
): Promise<void> {
  const folder = join(repoDir, FOLDER);
  try {
    for (const name of await readdir(folder)) {
      const note = join(folder, name);
      const isOffered = Object.hasOwn(targets, name);
      if (!isOffered && now.getTime() - (await stat(note)).mtimeMs <= keptMs) continue;
      if (!isOffered) await rm(join(repoDir, REPOSITORY.targets, name), { force: true });
      await rm(note);
    }
  } catch (reason) {
    if (!isErrno(reason, 'ENOENT')) throw ioError(reason, `clear ${folder}`);
  }
}
