import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError, type Progress } from '@plinth/base';
import {
  findMirrors,
  type Lock,
  proposeUpdate,
  readLock,
  readPackageSet,
  updateLock,
  writeLock,
} from '@plinth/debian';
import { cacheDir, exists, hashText, ioError } from '@plinth/host';
import type { CommandContext } from '../framework/context.ts';
import { repositoryRoot } from '../repository.ts';

/** The package lists that are pinned: os/<name>.yaml to os/<name>.lock.json. */
export const lockNames = [
  'plinth',
  'toolbox',
  'go-tools',
  'kubernetes',
  'outsiders',
  'judges',
  'servers',
] as const;

export type LockName = (typeof lockNames)[number];

/** What each is for, for people. */
export const lockTitles: Readonly<Record<LockName, string>> = {
  plinth: 'image',
  toolbox: 'toolbox',
  'go-tools': 'Go toolchain',
  kubernetes: 'Kubernetes layer',
  outsiders: 'programs of others, for tests',
  judges: 'judges of others, for tests',
  servers: 'servers of others, for tests',
};

/** The folder of the committed package lists and locks. */
export const osDir = join(repositoryRoot, 'os');

export interface UseLockOptions {
  /** Take the committed lock or fail. */
  readonly frozen: boolean;
}

/**
 * useLock runs `work` with the folder that holds the lock. When the mirror no longer has what it pins, it offers to
 * update it; with nobody to ask it goes on with a newer lock kept in the cache, which holds until the committed one
 * changes.
 * @throws debian/package-gone when frozen or declined; whatever `work` throws
 */
export async function useLock<T>(
  name: LockName,
  { frozen }: UseLockOptions,
  context: CommandContext,
  progress: Progress,
  work: (lockDir: string) => Promise<T>,
): Promise<T> {
  const refreshed = await refreshedDir(name);
  if (!frozen && (await exists(join(refreshed, `${name}.lock.json`)))) {
    progress.warn(
      `os/${name}.lock.json pins packages the mirror no longer has; a newer lock from the cache is used`,
    );
    return work(refreshed);
  }
  try {
    return await work(osDir);
  } catch (reason) {
    if (frozen || !(reason instanceof PlinthError) || reason.code !== 'debian/package-gone') throw reason;
    return work(await offerUpdate(name, reason, refreshed, context, progress));
  }
}

async function offerUpdate(
  name: LockName,
  gone: PlinthError,
  refreshed: string,
  context: CommandContext,
  progress: Progress,
): Promise<string> {
  const { signal } = context;
  const answer = await context.confirm(`${gone.message}.\nUpdate os/${name}.lock.json to what it has now?`);
  if (answer === false) throw gone;
  const set = await readPackageSet(join(osDir, `${name}.yaml`));
  await progress.step(`Choose the packages of the ${lockTitles[name]} anew`, async (step) => {
    const options = { label: name, mirrors: await findMirrors({ env: context.env }), progress: step, signal };
    if (answer) {
      await updateLock(set, join(osDir, `${name}.lock.json`), options);
      return;
    }
    const { lock } = await proposeUpdate(set, await readLock(join(osDir, `${name}.lock.json`)), options);
    await keepRefreshed(name, refreshed, lock);
    progress.warn(
      `${gone.message}; a newer lock is used and kept in the cache, os/${name}.lock.json is unchanged`,
    );
  });
  return answer ? osDir : refreshed;
}

/** The package list lies beside its lock, as in os/, because the two are checked against each other. */
async function keepRefreshed(name: LockName, folder: string, lock: Lock): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((reason) =>
    Promise.reject(ioError(reason, `make ${folder}`)),
  );
  await copyFile(join(osDir, `${name}.yaml`), join(folder, `${name}.yaml`));
  await writeLock(join(folder, `${name}.lock.json`), lock);
}

/** Named by what it replaces: a committed change of the lock or of the list makes it void. */
async function refreshedDir(name: LockName): Promise<string> {
  const replaced = await Promise.all(
    [`${name}.lock.json`, `${name}.yaml`].map((file) => readFile(join(osDir, file), 'utf8').catch(() => '')),
  );
  return join(cacheDir(), 'locks', hashText(replaced.join('\0')).slice(0, 32));
}
