import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError } from './files.ts';
import { isErrno } from './process.ts';

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
  const identity = `${process.pid} ${await startTime(process.pid)}\n`;
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

/** The living holder's pid; undefined when the lock is stale. Pids are reused, so the start time must match too. */
async function readHolder(path: string): Promise<number | undefined> {
  const [pidText, started] = (await readFile(path, 'utf8').catch(() => '')).trim().split(' ');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const now = await startTime(pid);
  return now !== '' && now === started ? pid : undefined;
}

/** Start time in clock ticks since boot, field 22 of /proc/PID/stat (proc(5)); empty when there is no such process. */
async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
