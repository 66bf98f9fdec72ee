import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlinthError } from '@plinth/base';
import { ioError } from './files.ts';
import { isErrno } from './process.ts';
import { identifyProcess, isAlive } from './process-identity.ts';

/** How to wait for a lock that another process holds. Absent: do not wait. */
export interface LockWaiting {
  readonly signal?: AbortSignal | undefined;
  /** Called once with the holder's process id when there is something to wait for. */
  readonly onWait?: (holderPid: number) => void;
}

const POLL_MS = 200;

/**
 * withLock runs `work` while holding an exclusive lock file that names this process.
 * A lock left by a process that no longer lives is taken over.
 * @param what the work in words, for the message of the one who must wait
 * @param waiting given: wait until the holder is done instead of failing
 * @throws host/locked when a living process holds it; cli/interrupted while waiting
 */
export async function withLock<T>(
  path: string,
  what: string,
  work: () => Promise<T>,
  waiting?: LockWaiting,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  let told = false;
  for (let holderPid = await acquire(path); holderPid !== undefined; holderPid = await acquire(path)) {
    if (!waiting) throw locked(what, holderPid);
    if (!told) waiting.onWait?.(holderPid);
    told = true;
    await sleep(POLL_MS, undefined, { signal: waiting.signal }).catch(() => {
      throw new PlinthError('cli/interrupted', `Cannot ${what}: interrupted while waiting for ${holderPid}`);
    });
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

function locked(what: string, holderPid: number): PlinthError {
  return new PlinthError(
    'host/locked',
    `Cannot ${what}: process ${holderPid} is already at it, expected to be alone`,
    { details: { holderPid }, retryable: true },
  );
}

/** Takes the lock, or tells who holds it. */
async function acquire(path: string): Promise<number | undefined> {
  const self = await identifyProcess(process.pid);
  const mine = `${path}.${randomBytes(6).toString('hex')}`;
  // A link appears whole or not at all, so nobody ever reads a lock that does not name its holder yet.
  await writeFile(mine, `${process.pid} ${self?.startTicks ?? ''}\n`);
  try {
    for (;;) {
      try {
        await link(mine, path);
        return undefined;
      } catch (reason) {
        if (!isErrno(reason, 'EEXIST')) throw ioError(reason, `lock ${path}`);
      }
      const holderPid = await readHolder(path);
      if (holderPid !== undefined) return holderPid;
      await rm(path, { force: true });
    }
  } finally {
    await rm(mine, { force: true });
  }
}

/** The living holder's pid; undefined when the lock is stale. */
async function readHolder(path: string): Promise<number | undefined> {
  const [pidText, startTicks] = (await readFile(path, 'utf8').catch(() => '')).trim().split(' ');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0 || startTicks === undefined) return undefined;
  return (await isAlive({ pid, startTicks })) ? pid : undefined;
}
