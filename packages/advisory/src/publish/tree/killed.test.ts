import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { scratchFolder } from '@plinth/host/testing';
import { initKeys, loadPublicKeys } from '@plinth/trust';
import { initAdvisoryKey } from '../keys/advisory-key.ts';
import { opensslRecord } from '../testing/sample-records.ts';
import { publishAdvisories } from './publish-tree.ts';
import { verifyTree } from './verify-tree.ts';

const scratch = await scratchFolder('advisories-killed');
const [keysDir, treeDir] = [join(scratch, 'keys'), join(scratch, 'web')];
await initKeys(keysDir);
await initAdvisoryKey(keysDir, undefined);
const trusted = (await loadPublicKeys(keysDir)).certificates('release');
const KILLS = 6;
const RECORDS = 12;

/** Publishes a round of records in a process of its own, which says when it begins and when it is done. */
const program = join(scratch, 'publisher.ts');
const source = (path: string) => JSON.stringify(join(import.meta.dirname, path));
await writeFile(
  program,
  `import { publishAdvisories } from ${source('publish-tree.ts')};
import { opensslRecord } from ${source('../testing/sample-records.ts')};
const [treeDir, keysDir, round] = process.argv.slice(2);
const records = Array.from({ length: ${RECORDS} }, (_, index) => {
  return { ...opensslRecord, id: \`PLSA-2026-\${Number(round) * 100 + index + 1000}\` };
});
process.stdout.write('begins\\n');
await publishAdvisories({ treeDir, keysDir, records, publisher: {}, validMs: 1e9 });
process.stdout.write('ended\\n');
`,
);

async function publishAndKill(round: number, afterMs: number): Promise<boolean> {
  const child = spawn(process.execPath, [program, treeDir, keysDir, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const words: string[] = [];
  child.stdout.on('data', (text: Buffer) => words.push(text.toString('utf8')));
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  await Promise.race([sleep(afterMs, undefined, { ref: false }), exited]);
  child.kill('SIGKILL');
  await exited;
  return words.join('').includes('ended');
}

test('a publisher that is killed at any moment leaves a whole tree, and the next one goes on', async () => {
  const publisher = { url: 'https://cve.example' };
  await publishAdvisories({ treeDir, keysDir, records: [opensslRecord], publisher, validMs: 1e9 });
  const started = performance.now();
  assert.ok(await publishAndKill(0, 60_000));
  const wholeMs = performance.now() - started;
  let ended = 0;
  for (let round = 1; round <= KILLS; round++) {
    if (await publishAndKill(round, (wholeMs * round) / KILLS)) ended++;
    const report = await verifyTree(treeDir, { trusted });
    assert.equal(report.verdict, 'pass', `round ${round}: ${report.firstBroken?.detail}`);
  }
  const last = await publishAdvisories({ treeDir, keysDir, records: [], publisher: {}, validMs: 1e9 });
  // All of a round or nothing of it.
  assert.equal((last.records - 1) % RECORDS, 0);
  assert.ok(last.records >= 1 + RECORDS * (1 + ended));
  const left = (await readdir(scratch)).filter((name) => name.endsWith('.tmp'));
  assert.deepEqual(left, []);
  const trees = (await readdir(join(scratch, '.web.trees'))).sort();
  assert.deepEqual(trees, [String(last.manifest.sequence - 1), String(last.manifest.sequence)].sort());
});

test('two publishers at once wait for each other, and both are heard', async () => {
  const both = ['PLSA-2026-0008', 'PLSA-2026-0009'].map((id) =>
    publishAdvisories({ treeDir, keysDir, records: [{ ...opensslRecord, id }], publisher: {}, validMs: 1e9 }),
  );
  const added = (await Promise.all(both)).map((published) => published.added);
  assert.deepEqual(added.flat().sort(), ['PLSA-2026-0008', 'PLSA-2026-0009']);
  assert.equal((await verifyTree(treeDir, { trusted })).verdict, 'pass');
});
