import assert from 'node:assert/strict';
import { mkdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { REPOSITORY } from '@plinth/updates';
import { initUpdateKeys } from '../keys/init-update-keys.ts';
import { readTrustedRoot } from '../keys/trusted-root.ts';
import { publishRelease } from '../release/publish-release.ts';
import { refreshRepository } from '../repository/refresh-repository.ts';
import { serveRepository } from '../serve/serve-repository.ts';
import { writeSampleFiles } from '../testing/index.ts';
import { verifyServed } from './verify-served.ts';

const scratch = await scratchFolder('verify');
const [keysDir, repoDir, releaseDir] = [
  join(scratch, 'keys'),
  join(scratch, 'repo'),
  join(scratch, 'release'),
];
await mkdir(keysDir);
await initUpdateKeys(keysDir);
const root = await readTrustedRoot(keysDir);
const manifest = await writeSampleFiles(releaseDir, { version: '1.0.0' });
await publishRelease({ repoDir, keysDir, channel: 'stable', releaseDir });
const server = await serveRepository({ repoDir });
after(() => server.close());
const look = async (channels = ['stable'], believed = root) => {
  const checks = await verifyServed({ url: server.url, root: believed, channels, files: true });
  return checks.filter(({ verdict }) => verdict === 'fail').map(({ subject }) => subject);
};
const target = (name: string) => join(repoDir, REPOSITORY.targets, name);
const metadata = (name: string) => join(repoDir, REPOSITORY.metadata, name);

test('a repository as it was published is believed, file by file', async () => {
  const checks = await verifyServed({ url: server.url, root, channels: ['stable'], files: true });
  assert.deepEqual(
    checks.filter(({ verdict }) => verdict !== 'pass'),
    [],
  );
  assert.equal(checks.length, 3 + manifest.artefacts.length);
});

test('what was changed, cut or taken away is found', async () => {
  const { name } = manifest.uki;
  // Links share their bytes with the release folder, so the file is replaced.
  await rename(target(name), target('kept'));
  assert.deepEqual(await look(), [name]);
  await writeFile(target(name), `kernel of 1.0.x`);
  assert.deepEqual(await look(), [name]);
  await rm(target(name));
  await rename(target('kept'), target(name));
  const papers = manifest.artefacts.find((one) => one.name.endsWith('.facts.json'))?.name ?? '';
  await rm(target(papers));
  await writeFile(target(papers), '{}');
  await truncate(target(papers), 1);
  assert.deepEqual(await look(), [papers]);
  await writeFile(target(papers), '{}');
  assert.deepEqual(await look(), []);
});

test('another root, another channel, ended metadata are refused', async () => {
  const strangerDir = join(scratch, 'stranger');
  await mkdir(strangerDir);
  await initUpdateKeys(strangerDir);
  assert.deepEqual(await look(['stable'], await readTrustedRoot(strangerDir)), ['metadata']);
  assert.deepEqual(await look(['candidate']), ['channel candidate']);
  const { timestampLifetimeMs, now } = { timestampLifetimeMs: 60_000, now: new Date(Date.now() - 120_000) };
  await refreshRepository({ repoDir, keysDir, timestampLifetimeMs, now });
  assert.deepEqual(await look(), ['metadata']);
  await refreshRepository({ repoDir, keysDir });
  assert.deepEqual(await look(), []);
  await rm(metadata('timestamp.json'));
  assert.deepEqual(await look(), ['metadata']);
});
