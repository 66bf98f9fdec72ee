import { chmod, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorCode, isMissing, readBytes, type Sys } from '../../sys/sys.ts';

/** Writes the files of a config; tests give their own. They lie in memory, so nothing has to reach a disk. */
export interface MachineFiles {
  /** Replaces a file whole or not at all; makes its folder. */
  write(path: string, mode: number, text: string): Promise<void>;
  /** Nothing happens when there is none. */
  remove(path: string): Promise<void>;
}

/** A file as a config wants it. */
export interface WantedFile {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
}

/** machineFiles writes to the machine. */
export function machineFiles(): MachineFiles {
  return {
    async write(path, mode, text) {
      await makeFolder(dirname(path));
      // A name that starts with a dot: no service that reads the folder takes it for one of its files.
      const work = join(dirname(path), `.${basename(path)}.plinth`);
      await rm(work, { force: true });
      const file = await open(work, 'wx', 0o600);
      try {
        await file.writeFile(text);
      } finally {
        await file.close();
      }
      // By its path: the permission model of the runtime refuses what is done by an open file (fchmod).
      await chmod(work, mode);
      await rename(work, path);
    },
    remove: (path) => rm(path, { force: true }),
  };
}

/** Services that are not root read there, and plinthd's own file creation mask keeps them out. */
async function makeFolder(path: string): Promise<void> {
  // Not even asked for where it exists: plinthd may write files in /etc that are named, and not /etc itself.
  if (await isThere(path)) return;
  const made = await mkdir(path, { recursive: true });
  if (made === undefined) return;
  for (let folder = path; folder.length >= made.length; folder = dirname(folder)) await chmod(folder, 0o755);
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (reason) {
    if (isMissing(reason)) return false;
    throw reason;
  }
}

/** One file that is not as the config says. */
export interface Drift {
  readonly path: string;
  /** For people; never its content, which may be secret. */
  readonly difference: string;
}

/** findDrift holds the machine against the files of a config. What cannot be read is told as such. */
export async function findDrift(
  sys: Pick<Sys, 'readFile' | 'status'>,
  wanted: readonly WantedFile[],
): Promise<readonly Drift[]> {
  const found: Drift[] = [];
  for (const file of wanted) {
    const difference = await differenceOf(sys, file).catch(
      (reason: unknown) => `cannot be read: ${errorCode(reason) || reason}`,
    );
    if (difference !== undefined) found.push({ path: file.path, difference });
  }
  return found;
}

async function differenceOf(
  sys: Pick<Sys, 'readFile' | 'status'>,
  { path, mode, text }: WantedFile,
): Promise<string | undefined> {
  const bytes = await readBytes(sys, path);
  if (!bytes) return 'is gone';
  if (!bytes.equals(Buffer.from(text))) return 'was changed';
  const status = await sys.status(path);
  if (status.mode !== mode) return `has mode ${octal(status.mode)}, expected ${octal(mode)}`;
  return undefined;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
