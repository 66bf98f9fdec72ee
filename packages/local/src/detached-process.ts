import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlinthError } from '@plinth/base';
import { identifyProcess, type ProcessIdentity } from '@plinth/host';

/** A program that outlives the command that started it. */
export interface DetachedProcess {
  readonly identity: ProcessIdentity;
  hasEnded(): boolean;
}

export interface DetachedOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Takes standard output and error; emptied first. */
  readonly logPath: string;
}

/**
 * startDetached starts a program in a session of its own, so that a Ctrl-C in the terminal does not reach it.
 * @throws vm/qemu-failed when it cannot be started at all
 */
export async function startDetached(
  program: string,
  args: readonly string[],
  options: DetachedOptions,
): Promise<DetachedProcess> {
  const log = await open(options.logPath, 'w', 0o600);
  try {
    let ended = false;
    const child = spawn(program, [...args], {
      env: options.env,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    child.once('exit', () => {
      ended = true;
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const identity = child.pid === undefined ? undefined : await identifyProcess(child.pid);
    // One that is gone already has no start time any more; its number still tells it apart while we hold it.
    return { identity: identity ?? { pid: child.pid ?? 0, startTicks: 'ended' }, hasEnded: () => ended };
  } catch (reason) {
    throw PlinthError.from(reason, 'vm/qemu-failed', `Cannot start ${program}`);
  } finally {
    await log.close();
  }
}

/**
 * waitUntilReady polls `isReady` until it holds; false when the process ended or the time passed first.
 * @throws cli/interrupted when the signal is aborted
 */
export async function waitUntilReady(
  process: DetachedProcess,
  isReady: () => Promise<boolean>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isReady())) {
    if (signal?.aborted) throw new PlinthError('cli/interrupted', 'Cannot start the machine: interrupted');
    if (process.hasEnded() || performance.now() >= deadline) return false;
    await sleep(50);
  }
  return true;
}
