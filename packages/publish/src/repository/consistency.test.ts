import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { changeRule } from '../channel/change-channel.ts';
import { initUpdateKeys } from '../keys/init-update-keys.ts';
import { rotateUpdateKey } from '../keys/rotate-update-key.ts';
import { readTrustedRoot } from '../keys/trusted-root.ts';
import { publishRelease } from '../release/publish-release.ts';
import { serveRepository } from '../serve/serve-repository.ts';
import { followChannel, writeSampleFiles } from '../testing/index.ts';
import { refreshRepository } from './refresh-repository.ts';

const scratch = await scratchFolder('consistency');
const [keysDir, repoDir] = [join(scratch, 'keys'), join(scratch, 'repo')];
await mkdir(keysDir);
await initUpdateKeys(keysDir);
const root = await readTrustedRoot(keysDir);
const versions = Array.from({ length: 8 }, (_, index) => `1.${index}.0`);
const publish = async (version: string) => {
  const releaseDir = join(scratch, version);
  await writeSampleFiles(releaseDir, { version });
  return publishRelease({ repoDir, keysDir, channel: 'stable', releaseDir });
};
await publish('1.0.0');
const server = await serveRepository({ repoDir });
after(() => server.close());

test('who reads while others publish sees a whole repository, old or new, and never an older one', async () => {
  let isOver = false;
  const readers = [0, 1].map(async (reader) => {
    const seen: number[] = [];
    for (let round = 0; !isOver || round === 0; round++) {
      // Every other time a node that knows nothing but the first root.
      const folder = join(scratch, `node-${reader}-${round % 2 === 0 ? 0 : round}`);
      const { channel } = await followChannel(server.url, folder, root);
      seen.push(channel.releases.length);
    }
    return seen;
  });
  for (const version of versions.slice(1)) {
    await publish(version);
    await changeRule({ repoDir, keysDir, channel: 'stable' }, { rule: 'block', version, reason: 'a try' });
    // With the key of before at hand, no reader is without one that it believes.
    if (version === '1.4.0') await rotateUpdateKey(keysDir, 'timestamp');
    if (version === '1.5.0') await rotateUpdateKey(keysDir, 'snapshot');
    await refreshRepository({ repoDir, keysDir });
  }
  isOver = true;
  for (const seen of await Promise.all(readers)) {
    assert.deepEqual(
      seen.toSorted((left, right) => left - right),
      seen,
    );
  }
  const { channel } = await followChannel(server.url, join(scratch, 'last'), root);
  assert.deepEqual(
    channel.releases.map(({ version }) => version),
    versions,
  );
});

test('who publishes at the same time waits for its turn, and nothing is lost', async () => {
  const more = ['2.0.0', '2.1.0', '2.2.0'];
  await Promise.all(more.map(publish));
  const { channel } = await followChannel(server.url, join(scratch, 'parallel'), root);
  const offered = channel.releases.map(({ version }) => version);
  assert.ok(more.every((version) => offered.includes(version)));
  const left = (await readdir(repoDir, { recursive: true })).filter((name) => /\.tmp$|\.lock/.test(name));
  assert.deepEqual(left, []);
});
