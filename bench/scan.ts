import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openAdvisoryStore, readSubject, scan, scanInventory } from '@plinth/advisory';

/**
 * Prints how long `plinth cve scan` takes: a process that starts, reads the image and judges it by feeds that are here
 * (cold), the same again in a process that runs (warm), and a first scan that fetches everything (network included).
 * Usage: node bench/scan.ts [SUBJECT] [--runs N]; the subject is a release folder, default os/plinth.lock.json
 */
const RUNS = Number(process.argv[process.argv.indexOf('--runs') + 1]) || 5;
const TARGETS = { coldMs: 2_000, warmMs: 300 };
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
  const cold = median(
    await several(async () => {
      execFileSync(process.execPath, [cli, 'cve', 'scan', subject, '--offline', '-q', '-o', 'json'], {
        env,
        maxBuffer: 256 * 1024 * 1024,
      });
    }),
  );
  report('cold', cold, TARGETS.coldMs, 'a new process, from the command line to JSON');

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
