import assert from 'node:assert/strict';
import { appendFile, cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeSampleRelease, openWorkshop, type SampleWorkshop } from '@plinth/image/testing';
import { initUpdateKeys } from '@plinth/publish';
import { runCli } from '../run-cli.ts';

// Releases as the builder makes them, small ones: what is published was verified link by link before.

let workshop: SampleWorkshop;
let release = '';
let keysDir = '';
before(async () => {
  workshop = await openWorkshop();
  release = await makeSampleRelease(workshop);
  keysDir = join(workshop.folder, 'keys');
});
after(() => workshop.close());

async function publish(folder: string, ...argv: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const world = {
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
    env: { PLINTH_KEYS: keysDir, HOME: workshop.folder },
  };
  const line = ['release', 'publish', folder, '-o', 'json', ...argv];
  const exitCode = await runCli(line, world, new AbortController().signal);
  // With -o json an error is a result too.
  return { exitCode, stdout: out.join(''), said: `${out.join('')}${err.join('')}` };
}

test('a release whose every link passes is published, once', async () => {
  const repo = join(workshop.folder, 'repo');
  // Keys that no image knows are not made on the way.
  assert.match((await publish(release, '--to', repo)).said, /publish\/keys-missing/);
  await initUpdateKeys(keysDir);
  const first = await publish(release, '--to', repo, '--notes', 'the first', '--kubernetes', '1.36,1.37');
  assert.equal(first.exitCode, 0, first.said);
  const { version, files } = JSON.parse(first.stdout);
  assert.equal(version, '1.2.3');
  assert.ok(files.every(({ isNew }: { isNew: boolean }) => isNew));
  const again = JSON.parse((await publish(release, '--to', repo)).stdout);
  assert.ok(again.files.every(({ isNew }: { isNew: boolean }) => !isNew));
});

test('a changed release, one of other keys and one nobody can judge are refused', async () => {
  const repo = join(workshop.folder, 'untouched');
  const changed = join(workshop.folder, 'changed');
  await cp(release, changed, { recursive: true });
  await appendFile(join(changed, 'SHA256SUMS'), '\n');
  assert.match((await publish(changed, '--to', repo)).said, /publish\/release-refused|release\/sums-invalid/);
  const foreign = await publish(release, '--to', repo, '--trust', join(workshop.folder, 'foreign'));
  assert.match(foreign.said, /publish\/release-refused/);
  assert.notEqual(foreign.exitCode, 0);
  await rm(join(changed, 'SHA256SUMS.p7s'));
  const unsigned = await publish(changed, '--to', 'oci://127.0.0.1:1/plinth');
  assert.notEqual(unsigned.exitCode, 0);
  await assert.rejects(rm(join(repo, 'metadata')), { code: 'ENOENT' });
});
