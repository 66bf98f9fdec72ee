import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import {
  changeRule,
  initUpdateKeys,
  publishRelease,
  readTrustedRoot,
  refreshRepository,
  rotateUpdateKey,
  serveRepository,
} from '@plinth/publish';
import { writeSampleFiles } from '@plinth/publish/testing';
import { REPOSITORY, TRUSTED_ROOT_PATH } from '@plinth/updates';
import { memoryStore } from '../../sys/state-store.ts';
import { fakeSys } from '../../testing/fake-sys.ts';
import { openFetcher } from '../fetch/fetcher.ts';
import { openRepository } from './open-repository.ts';

// What `plinth release` publishes and serves, read by a node that has only the root from the day its image was built.

const DAY_MS = 86_400_000;

test('a node follows a repository over releases, rules, renewals and changed keys', async (context) => {
  const scratch = await scratchFolder('published');
  const [keysDir, repoDir] = [join(scratch, 'keys'), join(scratch, 'repository')];
  await mkdir(keysDir);
  const start = new Date('2026-11-22T10:00:00Z');
  const daysLater = (days: number) => new Date(start.getTime() + days * DAY_MS);
  await initUpdateKeys(keysDir, { now: start });
  const trustedRoot = await readTrustedRoot(keysDir);
  const publish = async (version: string, now: Date) => {
    const releaseDir = join(scratch, version);
    const manifest = await writeSampleFiles(releaseDir, { version });
    await publishRelease({ repoDir, keysDir, channel: 'stable', releaseDir, now });
    return manifest;
  };
  await publish('1.0.0', start);
  const server = await serveRepository({ repoDir });
  context.after(() => server.close());
  const store = memoryStore('a test');
  const { signal } = new AbortController();
  const fetcher = openFetcher({ addresses: [server.url], stallMs: 2000, pauseMs: 1, signal });
  context.after(() => fetcher.close());
  const look = async (now: Date) => {
    const sys = fakeSys({
      files: { [TRUSTED_ROOT_PATH]: trustedRoot },
      modifiedAtMs: { [TRUSTED_ROOT_PATH]: start.getTime() },
      nowMs: now.getTime(),
    });
    const repository = await openRepository({ sys, fetcher, store, signal });
    return { repository, channel: await repository.channel('stable') };
  };

  assert.deepEqual(
    (await look(start)).channel.releases.map(({ version }) => version),
    ['1.0.0'],
  );

  const manifest = await publish('1.1.0', daysLater(1));
  await changeRule(
    { repoDir, keysDir, channel: 'stable', now: daysLater(1) },
    { rule: 'block', version: '1.0.0', reason: 'a hole' },
  );
  const { repository, channel } = await look(daysLater(1));
  assert.deepEqual(channel.blocked, [{ version: '1.0.0', reason: 'a hole' }]);
  const offered = channel.releases.find(({ version }) => version === '1.1.0');
  assert.deepEqual(await repository.manifest(offered?.manifest ?? ''), manifest);
  // Every file of the release is there and is what was signed.
  for (const { name, sizeBytes, sha256 } of manifest.artefacts) {
    assert.deepEqual(repository.target(name), { name, sizeBytes, sha256 });
    const file = await fetcher.file({
      path: `${REPOSITORY.targets}/${name}`,
      limitBytes: sizeBytes,
      expected: { sizeBytes, sha256 },
    });
    assert.equal(file.length, sizeBytes);
  }

  // Nobody signs any more: the node says so, and does not act on what may be old.
  await assert.rejects(look(daysLater(60)), { code: 'update/metadata-expired' });
  for (const role of ['timestamp', 'images', 'root'] as const) {
    await rotateUpdateKey(keysDir, role, { now: daysLater(60) });
    await refreshRepository({ repoDir, keysDir, now: daysLater(60) });
    assert.equal((await look(daysLater(60))).channel.releases.length, 2);
  }
});
