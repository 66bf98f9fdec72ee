import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  affectedSubjects,
  openAdvisoryStore,
  readSubject,
  scanInventory,
  storeInventory,
} from '@plinth/advisory';

/**
 * Prints how long it takes to judge 1,000 kept releases anew for one identifier (asked: 2 s). The releases have the
 * packages of the subject; each second one has openssl one update behind, each with its own version and digest.
 * Usage: node bench/affected.ts [SUBJECT] [--id CVE-…]; the subject is a release folder, default os/plinth.lock.json
 */
const RELEASES = 1_000;
const TARGET_MS = 2_000;
const option = process.argv.indexOf('--id');
const id = option > 0 ? (process.argv[option + 1] ?? '') : 'CVE-2026-35189';
const subject =
  process.argv[2]?.startsWith('--') === false
    ? process.argv[2]
    : fileURLToPath(new URL('../os/plinth.lock.json', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'plinth-bench-affected-'));
try {
  const store = await openAdvisoryStore(join(folder, 'feeds.sqlite'));
  const inventory = await readSubject(subject);
  await scanInventory(inventory, store, { all: true });
  for (let number = 0; number < RELEASES; number++) {
    const version = `1.${number}.0`;
    const binaries = inventory.binaries.map((binary) =>
      binary.source === 'openssl' && number % 2 === 1
        ? { ...binary, sourceVersion: '3.5.7-1~deb13u2' }
        : binary,
    );
    const one = { ...inventory, binaries, subject: { ...inventory.subject, version } };
    await storeInventory(join(folder, 'inventories'), `plinth_${version}_x86-64`, one);
  }
  const times: number[] = [];
  let verdicts: readonly (string | undefined)[] = [];
  for (let run = 0; run < 5; run++) {
    const startMs = performance.now();
    verdicts = (await affectedSubjects(store, folder, id)).map(({ finding }) => finding?.verdict);
    times.push(performance.now() - startMs);
  }
  const counts = Object.entries(Object.groupBy(verdicts, (verdict) => verdict ?? 'not named')).map(
    ([verdict, list]) => `${list?.length} ${verdict}`,
  );
  const median = times.toSorted((a, b) => a - b)[2] ?? Number.NaN;
  console.log(`judged   ${verdicts.length} releases for ${id}: ${counts.join(', ')}`);
  console.log(
    `time     ${median.toFixed(0)} ms, asked ${TARGET_MS} ms: ${median <= TARGET_MS ? 'met' : 'MISSED'} (median of ${times.length})`,
  );
  await store.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
