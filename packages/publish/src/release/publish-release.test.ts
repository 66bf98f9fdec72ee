import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hashText } from '@plinth/host';
import { scratchFolder } from '@plinth/host/testing';
import { REPOSITORY } from '@plinth/updates';
import { initUpdateKeys } from '../keys/init-update-keys.ts';
import { readTrustedRoot } from '../keys/trusted-root.ts';
import { serveRepository } from '../serve/serve-repository.ts';
import { followChannel, writeSampleFiles } from '../testing/index.ts';
import { publishRelease } from './publish-release.ts';

const scratch = await scratchFolder('publish');
const keysDir = join(scratch, 'keys');
await mkdir(keysDir);
await initUpdateKeys(keysDir);
const root = await readTrustedRoot(keysDir);
const repoDir = join(scratch, 'repository');
const server = await serveRepository({ repoDir });
after(() => server.close());
const releaseDir = join(scratch, 'release-1.2.3');
const manifest = await writeSampleFiles(releaseDir, { version: '1.2.3' });
const options = { repoDir, keysDir, channel: 'stable' } as const;

test('a published release is found, with every file, by a client that knows only the first root', async () => {
  const published = await publishRelease({
    ...options,
    releaseDir,
    about: { notes: 'What is new', security: true },
  });
  assert.equal(published.version, '1.2.3');
  const seen = await followChannel(server.url, join(scratch, 'client'), root);
  assert.deepEqual(seen.channel.releases, [
    { version: '1.2.3', manifest: 'plinth_1.2.3_x86-64.manifest.json', security: true, notes: 'What is new' },
  ]);
  for (const { name, sha256, sizeBytes } of manifest.artefacts) {
    assert.deepEqual(await seen.target(name), { sizeBytes, sha256 });
    const answer = await fetch(`${server.url}/${REPOSITORY.targets}/${encodeURIComponent(name)}`);
    assert.equal(hashText(new Uint8Array(await answer.arrayBuffer())), sha256);
  }
  const { ino } = await stat(join(releaseDir, manifest.uki.name));
  assert.equal((await stat(join(repoDir, REPOSITORY.targets, manifest.uki.name))).ino, ino, 'a hard link');
});

test('publishing the same release again is no change; other bytes under its names are refused', async () => {
  const before = await contentOf(join(repoDir, REPOSITORY.metadata));
  const again = await publishRelease({ ...options, releaseDir });
  assert.deepEqual(
    again.files.filter(({ isNew }) => isNew),
    [],
  );
  assert.deepEqual(await contentOf(join(repoDir, REPOSITORY.metadata)), before);

  const otherDir = join(scratch, 'other-1.2.3');
  await writeSampleFiles(otherDir, { version: '1.2.3', root: Buffer.from('another root') });
  await assert.rejects(publishRelease({ ...options, releaseDir: otherDir }), {
    code: 'publish/release-differs',
  });
  await followChannel(server.url, join(scratch, 'client'), root);
});

test('a release whose files are not what its manifest says is refused', async () => {
  const damaged = join(scratch, 'damaged');
  const { uki } = await writeSampleFiles(damaged, { version: '1.2.4' });
  await writeFile(join(damaged, uki.name), 'another kernel');
  await assert.rejects(publishRelease({ ...options, releaseDir: damaged }), {
    code: 'publish/release-refused',
  });
  const foreign = join(scratch, 'foreign');
  await writeSampleFiles(foreign, { version: '1.2.4', name: 'other' });
  await assert.rejects(publishRelease({ ...options, releaseDir: foreign }), {
    code: 'publish/release-refused',
  });
  await assert.rejects(publishRelease({ ...options, releaseDir: join(scratch, 'nowhere') }), {
    code: 'release/not-found',
  });
});

async function contentOf(folder: string): Promise<[string, string][]> {
  const names = (await readdir(folder)).sort();
  return Promise.all(
    names.map(async (name): Promise<[string, string]> => [name, await readFile(join(folder, name), 'utf8')]),
  );
}
