import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openAdvisoryStore, readSubject, scan, scanInventory } from '@plinth/advisory';

/**
 * Prints how long `plinth cve scan` takes: a process that starts, reads the image and judges it by feeds that are here
 * (cold, and what it takes of a processor), the same again in a process that runs (warm), and a first scan that fetches
 * everything (network included).
 * Usage: node bench/scan.ts [SUBJECT] [--runs N]; the subject is a release folder, default os/plinth.lock.json
 */
const RUNS = Number(process.argv[process.argv.indexOf('--runs') + 1]) || 5;
const TARGETS = { coldMs: 2_000, warmMs: 300 };
/** Makes a process say at its end, on file descriptor 3, how much of a processor it took. */
const TELL_CPU =
  "data:text/javascript,import{writeSync}from'node:fs';process.on('exit',()=>writeSync(3,JSON.stringify(process.cpuUsage())))";
const subject =
  process.argv[2]?.startsWith('--') === false
    ? process.argv[2]
    : fileURLToPath(new URL('../os/plinth.lock.json', import.meta.url));
const cli = fileURLToPath(new URL('../packages/cli/src/main.ts', import.meta.url));

const stateDir = mkdtempSync(join(tmpdir(), 'plinth-bench-scan-'));
try {
  const storePath = join(stateDir, 'advisory', 'feeds.sqlite');
  const first = await timed(() => scan(subject, { storePath }));
  const { looked, counts, subject: what } = first.result;
  console.log(
    `subject  ${what.name} ${what.version ?? ''} (${what.kind}): ${looked.binaries} packages, ${looked.goModules} Go modules`,
  );
  console.log(
    `found    ${counts.open} open, ${counts.unknown} unknown, ${counts['not-affected']} not affected`,
  );
  console.log(`first    ${first.ms.toFixed(0)} ms with fetching the indexes and changelogs`);

  const env = { ...process.env, PLINTH_STATE_DIR: stateDir };
  const cpuMs: number[] = [];
  const cold = median(
    await several(async () => {
      const args = ['--import', TELL_CPU, cli, 'cve', 'scan', subject, '--offline', '-q', '-o', 'json'];
      const stdio = ['ignore', 'ignore', 'inherit', 'pipe'] as const;
      const { status, output } = spawnSync(process.execPath, args, { env, stdio: [...stdio] });
      if (status !== 0) throw new Error(`plinth cve scan ended with ${status}`);
      const { user, system } = JSON.parse(String(output[3])) as NodeJS.CpuUsage;
      cpuMs.push((user + system) / 1000);
    }),
  );
  report('cold', cold, TARGETS.coldMs, 'a new process, from the command line to JSON');
  console.log(
    `         ${median(cpuMs).toFixed(0)} ms of a processor, which the load of the computer changes little`,
  );

  const store = await openAdvisoryStore(storePath);
  const warm = median(
    await several(async () => {
      await scanInventory(await readSubject(subject), store, { offline: true });
    }),
  );
  await store.close();
  report('warm', warm, TARGETS.warmMs, 'reading the image and judging it, in a process that runs');
} finally {
  rmSync(stateDir, { recursive: true, force: true });
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  const startMs = performance.now();
  const result = await work();
  return { result, ms: performance.now() - startMs };
}

async function several(work: () => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) times.push((await timed(work)).ms);
  return times;
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}

function report(name: string, ms: number, targetMs: number, what: string): void {
  const verdict = ms <= targetMs ? 'met' : 'MISSED';
  console.log(
    `${name.padEnd(8)} ${ms.toFixed(0)} ms, asked ${targetMs} ms: ${verdict} (${what}; median of ${RUNS})`,
  );
}
