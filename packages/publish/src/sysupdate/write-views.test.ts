import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { hashText } from '@plinth/host';
import { scratchFolder } from '@plinth/host/testing';
import { updateKeyFolder } from '@plinth/trust';
import { REPOSITORY } from '@plinth/updates';
import { changeRule } from '../channel/change-channel.ts';
import { initUpdateKeys } from '../keys/init-update-keys.ts';
import { publishRelease } from '../release/publish-release.ts';
import { refreshRepository } from '../repository/refresh-repository.ts';
import { writeSampleFiles } from '../testing/index.ts';

const scratch = await scratchFolder('views');
const [keysDir, repoDir] = [join(scratch, 'keys'), join(scratch, 'repo')];
await mkdir(keysDir);
await initUpdateKeys(keysDir);
const now = new Date('2026-11-22T10:00:00Z');
const signing = { repoDir, keysDir, now };
for (const version of ['1.0.0', '1.1.0', '1.2.0']) {
  const releaseDir = join(scratch, version);
  await writeSampleFiles(releaseDir, { version });
  await publishRelease({ ...signing, channel: 'stable', releaseDir });
}
const stable = { ...signing, channel: 'stable' };
const folder = join(repoDir, REPOSITORY.sysupdate, 'stable');
const readSums = async () =>
  (await readFile(join(folder, 'SHA256SUMS'), 'utf8'))
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [, digest = '', name = ''] = /^([0-9a-f]{64}) {2}([^/]+)$/.exec(line) ?? assert.fail(line);
      return { digest, name };
    });

test('the list names what is in the folder, the very bytes of the repository, and its last day', async () => {
  const sums = await readSums();
  const names = sums.map(({ name }) => name);
  assert.deepEqual(names, names.toSorted());
  assert.deepEqual((await readdir(folder)).sort(), ['SHA256SUMS', 'SHA256SUMS.gpg', ...names].sort());
  // The timestamp ends on the 23rd at ten; a list knows days only and must not end before it.
  assert.ok(names.includes('BEST-BEFORE-2026-11-24'));
  for (const { digest, name } of sums) {
    assert.equal(hashText(await readFile(join(folder, name))), digest, name);
    if (name.startsWith('BEST-BEFORE')) continue;
    const target = await stat(join(repoDir, REPOSITORY.targets, name));
    assert.equal((await stat(join(folder, name))).ino, target.ino, name);
  }
});

test('a refresh moves the day and leaves one', async () => {
  await refreshRepository({ ...signing, now: new Date('2026-11-25T10:00:00Z') });
  const days = (await readSums()).map(({ name }) => name).filter((name) => name.startsWith('BEST'));
  assert.deepEqual(days, ['BEST-BEFORE-2026-11-27']);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith('BEST')),
    days,
  );
});

test('what no node takes is not offered', async () => {
  const versions = async () =>
    [...new Set((await readSums()).map(({ name }) => name.split('_')[1]).filter(Boolean))].sort();
  await changeRule(stable, { rule: 'floor', version: '1.1.0', reason: 'a hole' });
  assert.deepEqual(await versions(), ['1.1.0', '1.2.0']);
  await changeRule(stable, { rule: 'dead-end', version: '1.2.0', reason: 'stuck' });
  assert.deepEqual(await versions(), ['1.1.0']);
  await changeRule(stable, { rule: 'block', version: '1.1.0', reason: 'bad' });
  assert.deepEqual(await versions(), []);
});

test('without the key for it the folder stays as it is, and the repository goes on', async () => {
  const before = await readFile(join(folder, 'SHA256SUMS'), 'utf8');
  await rm(join(updateKeyFolder(keysDir), 'sysupdate.key.asc'));
  await refreshRepository({ ...signing, now: new Date('2026-12-25T10:00:00Z') });
  assert.equal(await readFile(join(folder, 'SHA256SUMS'), 'utf8'), before);
});
