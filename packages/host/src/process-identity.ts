import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isErrno } from './process.ts';

/** Names one process for good: process numbers are reused, a number with its start time is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since boot, as text because it only serves to be compared. */
  readonly startTicks: string;
}

/**
 * identifyProcess reads the identity of a living process; undefined when there is none or only its zombie.
 * Source: proc(5), /proc/PID/stat, fields 3 and 22.
 */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The program name (field 2) may hold spaces and parentheses; the fields after its last ")" may not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTicks = fields[19];
  if (startTicks === undefined || state === 'Z' || state === 'X') return undefined;
  return { pid, startTicks };
}

/** isAlive tells whether exactly this process still runs. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identifyProcess(identity.pid))?.startTicks === identity.startTicks;
}

/** waitForEnd waits until the process is gone and tells whether it went within the time. */
export async function waitForEnd(
  identity: ProcessIdentity,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (await isAlive(identity)) {
    if (performance.now() >= deadline) return false;
    await sleep(50, undefined, { signal });
  }
  return true;
}

/** endProcess asks the process to end (SIGTERM), and ends it (SIGKILL) when it has not after `graceMs`. */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<void> {
  await signalProcess(identity, 'SIGTERM');
  if (await waitForEnd(identity, graceMs)) return;
  await signalProcess(identity, 'SIGKILL');
  await waitForEnd(identity, 10_000);
}

async function signalProcess(identity: ProcessIdentity, name: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (!(await isAlive(identity))) return;
  try {
    process.kill(identity.pid, name);
  } catch (reason) {
    // It ended between the look and the signal.
    if (!isErrno(reason, 'ESRCH')) throw reason;
  }
}
