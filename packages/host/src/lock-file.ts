import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError } from './files.ts';
import { isErrno } from './process.ts';
import { identifyProcess, isAlive } from './process-identity.ts';

/**
 * withLock runs `work` while holding an exclusive lock file that names this process.
 * A lock left by a process that no longer lives is taken over.
 * @param what the work in words, for the message of the one who must wait
 * @throws host/locked when a living process holds it
 */
export async function withLock<T>(path: string, what: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  await acquire(path, what);
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function acquire(path: string, what: string): Promise<void> {
  const self = await identifyProcess(process.pid);
  const identity = `${process.pid} ${self?.startTicks ?? ''}\n`;
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const file = await open(path, 'wx', 0o644);
      await file.writeFile(identity);
      await file.close();
      return;
    } catch (reason) {
      if (!isErrno(reason, 'EEXIST')) throw ioError(reason, `lock ${path}`);
    }
    const holder = await readHolder(path);
    if (holder !== undefined) {
      throw new PlinthError(
        'host/locked',
        `Cannot ${what}: process ${holder} is already at it, expected to be alone`,
        {
          details: { holderPid: holder },
          retryable: true,
        },
      );
    }
    await rm(path, { force: true });
  }
  throw new PlinthError(
    'host/locked',
    `Cannot ${what}: the lock ${path} is contended, expected it to be free`,
    { retryable: true },
  );
}

/** The living holder's pid; undefined when the lock is stale. */
async function readHolder(path: string): Promise<number | undefined> {
  const [pidText, startTicks] = (await readFile(path, 'utf8').catch(() => '')).trim().split(' ');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0 || startTicks === undefined) return undefined;
  return (await isAlive({ pid, startTicks })) ? pid : undefined;
}
