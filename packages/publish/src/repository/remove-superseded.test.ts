import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { changeRule } from '../channel/change-channel.ts';
import { initUpdateKeys } from '../keys/init-update-keys.ts';
import { rotateUpdateKey } from '../keys/rotate-update-key.ts';
import { readTrustedRoot } from '../keys/trusted-root.ts';
import { publishRelease } from '../release/publish-release.ts';
import { serveRepository } from '../serve/serve-repository.ts';
import { writeSampleFiles } from '../testing/index.ts';
import { verifyServed } from '../verify/verify-served.ts';
import { refreshRepository } from './refresh-repository.ts';

test('what nothing refers to any more goes after a week; every root stays', async () => {
  const scratch = await scratchFolder('superseded');
  const [keysDir, repoDir, releaseDir] = [
    join(scratch, 'keys'),
    join(scratch, 'repo'),
    join(scratch, 'release'),
  ];
  await mkdir(keysDir);
  await initUpdateKeys(keysDir);
  const root = await readTrustedRoot(keysDir);
  await writeSampleFiles(releaseDir, { version: '1.0.0' });
  const stable = { repoDir, keysDir, channel: 'stable' };
  await publishRelease({ ...stable, releaseDir });
  for (const reason of ['one', 'two']) await changeRule(stable, { rule: 'block', version: '1.0.0', reason });
  await rotateUpdateKey(keysDir, 'snapshot');
  await refreshRepository({ repoDir, keysDir });

  const count = async () => {
    const names = [
      ...(await readdir(join(repoDir, 'metadata'))),
      ...(await readdir(join(repoDir, 'targets/channels'))),
    ];
    const matching = (pattern: RegExp) => names.filter((name) => pattern.test(name)).length;
    return {
      images: matching(/^\d+\.images/),
      snapshots: matching(/^\d+\.snapshot/),
      roots: matching(/^\d+\.root/),
      channels: matching(/^[0-9a-f]{64}\./),
    };
  };
  assert.deepEqual(await count(), { images: 3, snapshots: 4, roots: 2, channels: 3 });
  const inAWeek = new Date(Date.now() + 8 * 86_400_000);
  await refreshRepository({ repoDir, keysDir, now: inAWeek });
  assert.deepEqual(await count(), { images: 1, snapshots: 1, roots: 2, channels: 1 });
  await using server = await serveRepository({ repoDir });
  const checks = await verifyServed({ url: server.url, root, channels: ['stable'], files: true });
  assert.ok(checks.every(({ verdict }) => verdict === 'pass'));
});
