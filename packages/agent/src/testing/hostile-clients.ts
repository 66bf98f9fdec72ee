import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ClientCredentials } from './authority.ts';

/** What a client is to do; see hostile-client.ts. */
export interface HostileOrder {
  readonly what: 'idle' | 'streams' | 'fuzz' | 'half-open' | 'half-messages' | 'flood' | 'honest' | 'refused';
  /** How many; for a flood seconds. */
  readonly count: number;
  readonly clients: readonly ClientCredentials[];
}

export interface HostileAnswer {
  /** How many calls ended in which way; of "refused" each call. */
  readonly results?: Readonly<Record<string, number>> | readonly string[];
  readonly p50Ms?: number;
  readonly mostMs?: number;
}

/** startClient starts a client in the network of an isolated plinthd; it holds what it opened until it is ended. */
export function startClient(pid: number, order: HostileOrder) {
  const program = fileURLToPath(new URL('./hostile-client.ts', import.meta.url));
  const child = spawn('nsenter', ['--target', String(pid), '--net', process.execPath, program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.write(`${JSON.stringify(order)}\n`);
  const answer = (async (): Promise<HostileAnswer> => {
    for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line);
    throw new Error('the client ended without a word');
  })();
  return { answer, end: () => child.stdin.end() };
}

/** runClient starts a client, waits for its answer and ends it. */
export async function runClient(pid: number, order: HostileOrder): Promise<HostileAnswer> {
  const { answer, end } = startClient(pid, order);
  try {
    return await answer;
  } finally {
    end();
  }
}

/** statusMb reads a line of a process's status that is given in kB, in MiB. */
export function statusMb(pid: number, key: 'RssAnon' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024;
}
