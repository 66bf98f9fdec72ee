import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { eventually } from '@plinth/host/testing';

/** How long a part may take to answer on a busy machine; a part that ends is noticed at once. */
export const PATIENCE_MS = 300_000;

/** Servers a test started, with what they said. */
export interface Processes extends AsyncDisposable {
  /** Starts a program of the folder; its words go to NAME.log. */
  start(name: string, args: readonly string[]): ChildProcess;
  /** Asks until the answer is yes. A process that ended will never give it. Throws with the log of `name`. */
  until(name: string, ask: () => Promise<boolean>): Promise<void>;
}

/** openProcesses runs programs of a folder; disposing ends them all. */
export function openProcesses(folder: string): Processes {
  const started: ChildProcess[] = [];
  return {
    start(name, args) {
      const child = spawn(join(folder, name), args, {
        cwd: folder,
        env: { HOME: folder },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      started.push(child);
      void keepOutput(child, join(folder, `${name}.log`));
      return child;
    },
    async until(name, ask) {
      const isHopeless = () => started.some(({ exitCode }) => exitCode !== null);
      try {
        await eventually(ask, { patienceMs: PATIENCE_MS, everyMs: 200, isHopeless });
      } catch (cause) {
        const log = await readFile(join(folder, `${name}.log`), 'utf8').catch(() => 'it wrote nothing');
        const state = isHopeless() ? 'or another ended' : 'does not answer';
        throw new Error(`${name} ${state} (${cause}):\n${log.slice(-3000)}`, { cause });
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(started.map(endProcess));
    },
  };
}

/** endProcess kills a process and waits for its end. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** freePorts gives ports of loopback that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(address !== null && typeof address === 'object' ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function keepOutput(child: ChildProcess, path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    if (child.stderr) for await (const chunk of child.stderr) await file.write(chunk);
  } finally {
    await file.close();
  }
}
