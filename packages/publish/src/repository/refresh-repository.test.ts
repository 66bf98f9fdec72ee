import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { currentUpdateKeys, type UpdateRole, updateKeyFolder, updateKeyPath } from '@plinth/trust';
import { initUpdateKeys } from '../keys/init-update-keys.ts';
import { rotateUpdateKey } from '../keys/rotate-update-key.ts';
import { publishRelease } from '../release/publish-release.ts';
import { writeSampleFiles } from '../testing/index.ts';
import { refreshRepository } from './refresh-repository.ts';

const scratch = await scratchFolder('refresh');
const [keysDir, repoDir, releaseDir] = [
  join(scratch, 'keys'),
  join(scratch, 'repo'),
  join(scratch, 'release'),
];
await mkdir(keysDir);
const start = new Date('2026-11-22T10:00:00Z');
const { ring } = await initUpdateKeys(keysDir, { now: start });
await writeSampleFiles(releaseDir, { version: '1.0.0' });
await publishRelease({ repoDir, keysDir, channel: 'stable', releaseDir, now: start });
const daysLater = (days: number) => new Date(start.getTime() + days * 86_400_000);
const refresh = (days: number) => refreshRepository({ repoDir, keysDir, now: daysLater(days) });

test('a refresh renews the timestamp, and the rest only when it ends soon', async () => {
  assert.deepEqual((await refresh(1)).renewal.written, ['timestamp']);
  const { renewal, expiries } = await refresh(21);
  assert.deepEqual(renewal.written, ['snapshot', 'timestamp']);
  assert.equal(expiries.find(({ role }) => role === 'timestamp')?.expires, '2026-12-14T10:00:00Z');
  assert.equal(expiries.find(({ role }) => role === 'snapshot')?.expires, '2027-01-12T10:00:00Z');
});

test('the machine of a timer needs neither root nor targets nor images', async () => {
  for (const role of ['root', 'targets', 'images'] as const satisfies UpdateRole[]) {
    const keys = currentUpdateKeys(ring, role).slice(role === 'root' ? 1 : 0);
    for (const key of keys) await rm(updateKeyPath(updateKeyFolder(keysDir), key));
  }
  const early = await refresh(60);
  assert.deepEqual([early.renewal.postponed, early.rootEndsSoon], [[], false]);
  const late = await refresh(300);
  assert.deepEqual(late.renewal.postponed, ['targets', 'images']);
  assert.deepEqual(late.renewal.written, ['snapshot', 'timestamp']);
  assert.equal((await refresh(500)).rootEndsSoon, true);
});

test('a timestamp whose key is away is signed by no other, and replaced by root alone', async () => {
  await rm(updateKeyPath(updateKeyFolder(keysDir), currentUpdateKeys(ring, 'timestamp')[0] ?? assert.fail()));
  await assert.rejects(refresh(501), { code: 'publish/keys-missing' });
  await assert.rejects(rotateUpdateKey(keysDir, 'timestamp'), { code: 'publish/keys-missing' });
});
