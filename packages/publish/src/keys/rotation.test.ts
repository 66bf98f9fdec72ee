import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { RunningServer } from '@plinth/host';
import { scratchFolder } from '@plinth/host/testing';
import {
  currentUpdateKeys,
  readUpdateKeyRing,
  type UpdateRole,
  updateKeyFolder,
  updateKeyPath,
  updateRoleNames,
} from '@plinth/trust';
import { REPOSITORY } from '@plinth/updates';
import { publishRelease } from '../release/publish-release.ts';
import { changeRepository } from '../repository/change-repository.ts';
import { serveRepository } from '../serve/serve-repository.ts';
import { followChannel, writeSampleFiles } from '../testing/index.ts';
import { initUpdateKeys } from './init-update-keys.ts';
import { rotateUpdateKey } from './rotate-update-key.ts';
import { readTrustedRoot } from './trusted-root.ts';

// The drills of docs/how-to/publish-releases.md: each key replaced, each key lost.

const scratch = await scratchFolder('rotation');
const releases = await Promise.all(
  ['1.0.0', '1.1.0'].map(async (version) => {
    const folder = join(scratch, version);
    await writeSampleFiles(folder, { version });
    return folder;
  }),
);
const [first = '', second = ''] = releases;
const offline: readonly UpdateRole[] = ['root', 'targets'];
const servers: RunningServer[] = [];
after(() => Promise.all(servers.map((server) => server.close())));

/** A repository with one release, its keys, and a node that has seen it. */
async function fleet(name: string, options: Parameters<typeof initUpdateKeys>[1] = {}) {
  const dir = join(scratch, name);
  const [keysDir, repoDir] = [join(dir, 'keys'), join(dir, 'repository')];
  await mkdir(keysDir, { recursive: true });
  await initUpdateKeys(keysDir, options);
  const root = await readTrustedRoot(keysDir);
  const publish = (releaseDir: string) => publishRelease({ repoDir, keysDir, channel: 'stable', releaseDir });
  await publish(first);
  const server = await serveRepository({ repoDir });
  servers.push(server);
  const versions = async (client: string) => {
    const { channel } = await followChannel(server.url, join(dir, client), root);
    return channel.releases.map(({ version }) => version);
  };
  await versions('node');
  const sync = () => changeRepository({ repoDir, keysDir }, async () => ({}));
  const lose = async (role: UpdateRole, count = 1) => {
    const ring = await readUpdateKeyRing(updateKeyFolder(keysDir));
    assert.ok(ring);
    const keys = currentUpdateKeys(ring, role).slice(0, count);
    for (const key of keys) await rm(updateKeyPath(updateKeyFolder(keysDir), key));
    return keys;
  };
  return { dir, keysDir, repoDir, publish, versions, sync, lose };
}

for (const role of updateRoleNames) {
  test(`the ${role} key is replaced, and nodes of before and new ones go on`, async () => {
    const { keysDir, publish, versions, sync, repoDir } = await fleet(`rotate-${role}`);
    const { fresh, retired, ring } = await rotateUpdateKey(keysDir, role);
    assert.equal(ring.rootVersion, 2);
    await sync();
    assert.deepEqual(await versions('node'), ['1.0.0']);
    assert.deepEqual(await versions('new-node'), ['1.0.0']);
    await publish(second);
    assert.deepEqual(await versions('node'), ['1.0.0', '1.1.0']);
    assert.deepEqual(await versions('newest-node'), ['1.0.0', '1.1.0']);
    // Once readers know the new key, the old one signs no more.
    const signed = await newestDocument(repoDir, role);
    assert.match(signed, new RegExp(fresh.keyId));
    if (!offline.includes(role)) assert.doesNotMatch(signed, new RegExp(retired.keyId));
  });

  test(`a lost ${role} key is replaced without it`, async () => {
    const { keysDir, publish, versions, lose } = await fleet(`lose-${role}`);
    const [lost] = await lose(role);
    // Those that are offline have nothing to sign from day to day.
    if (offline.includes(role)) await publish(second);
    else await assert.rejects(publish(second), { code: 'publish/keys-missing' });
    const { retired } = await rotateUpdateKey(keysDir, role);
    assert.equal(retired.keyId, lost?.keyId, 'it is the lost one that goes');
    await publish(second);
    assert.deepEqual(await versions('node'), ['1.0.0', '1.1.0']);
    assert.deepEqual(await versions('new-node'), ['1.0.0', '1.1.0']);
  });
}

test('every key replaced in a row, nodes that were away for all of it included', async () => {
  const { keysDir, publish, versions, sync } = await fleet('all');
  for (const role of updateRoleNames) await rotateUpdateKey(keysDir, role);
  for (let count = 0; count < 2; count++) await rotateUpdateKey(keysDir, 'root');
  await sync();
  await publish(second);
  assert.deepEqual(await versions('node'), ['1.0.0', '1.1.0']);
  const ring = await readUpdateKeyRing(updateKeyFolder(keysDir));
  assert.equal(ring?.rootVersion, 8);
});

test('fewer root keys than the threshold change nothing', async () => {
  const { keysDir, lose, versions, sync } = await fleet('two-lost');
  await lose('root', 2);
  await assert.rejects(rotateUpdateKey(keysDir, 'timestamp'), { code: 'publish/keys-missing' });
  assert.equal((await readUpdateKeyRing(updateKeyFolder(keysDir)))?.rootVersion, 1);
  await sync();
  assert.deepEqual(await versions('node'), ['1.0.0'], 'what is published goes on');
});

test('a rotation that was cut short leaves the old keys in force, and can be done again', async () => {
  const { keysDir, versions, publish } = await fleet('cut');
  const folder = updateKeyFolder(keysDir);
  const before = join(scratch, 'cut', 'before');
  await cp(join(folder, 'update-keys.json'), before);
  await rotateUpdateKey(keysDir, 'images');
  // Everything but the last write happened.
  await cp(before, join(folder, 'update-keys.json'));
  await publish(second);
  await rotateUpdateKey(keysDir, 'snapshot');
  await publish(first);
  assert.deepEqual(await versions('node'), ['1.0.0', '1.1.0']);
});

test('sizes and thresholds are as asked for, and hold', async () => {
  const sizes = { root: { keys: 5, threshold: 3 }, targets: { keys: 3, threshold: 2 } };
  const { keysDir, lose, versions, publish } = await fleet('large', { sizes });
  await lose('root', 2);
  await lose('targets', 1);
  await rotateUpdateKey(keysDir, 'targets');
  await publish(second);
  assert.deepEqual(await versions('node'), ['1.0.0', '1.1.0']);
  for (const unfit of [
    { keys: 1, threshold: 2 },
    { keys: 0, threshold: 0 },
    { keys: 99, threshold: 1 },
  ]) {
    await assert.rejects(initUpdateKeys(join(scratch, 'unfit'), { sizes: { root: unfit } }), {
      code: 'publish/request-invalid',
    });
  }
});

test('root keys come together from the media of their keepers', async () => {
  const { keysDir, dir, versions, sync } = await fleet('media');
  const ring = await readUpdateKeyRing(updateKeyFolder(keysDir));
  assert.ok(ring);
  const media = [];
  for (const [index, key] of currentUpdateKeys(ring, 'root').entries()) {
    const folder = join(dir, `medium-${index}`);
    await mkdir(folder);
    const path = updateKeyPath(updateKeyFolder(keysDir), key);
    await cp(path, updateKeyPath(folder, key));
    await rm(path);
    media.push(folder);
  }
  await assert.rejects(rotateUpdateKey(keysDir, 'timestamp', { moreFolders: media.slice(0, 1) }), {
    code: 'publish/keys-missing',
  });
  await rotateUpdateKey(keysDir, 'timestamp', { moreFolders: media.slice(1) });
  await sync();
  assert.deepEqual(await versions('node'), ['1.0.0']);
});

test('encrypted keys sign with their passphrase only', async () => {
  const keysDir = join(scratch, 'encrypted');
  await mkdir(keysDir);
  await initUpdateKeys(keysDir, { passphrase: 'correct horse' });
  const repoDir = join(scratch, 'encrypted-repository');
  const options = { repoDir, keysDir, channel: 'stable', releaseDir: first };
  await assert.rejects(publishRelease(options), { code: 'trust/wrong-passphrase' });
  await assert.rejects(publishRelease({ ...options, passphrase: 'wrong' }), {
    code: 'trust/wrong-passphrase',
  });
  await publishRelease({ ...options, passphrase: 'correct horse' });
  for (const name of await readdir(updateKeyFolder(keysDir))) {
    if (/\.key\.(pem|asc)$/.test(name))
      assert.equal((await stat(join(updateKeyFolder(keysDir), name))).mode & 0o777, 0o600);
    if (name.endsWith('.key.pem'))
      assert.match(await readFile(join(updateKeyFolder(keysDir), name), 'utf8'), /ENCRYPTED PRIVATE KEY/);
  }
});

test('a repository of other keys is not signed', async () => {
  const { repoDir, keysDir } = await fleet('mine');
  const stranger = await fleet('stranger');
  const foreign = { code: 'publish/foreign-repository' };
  await assert.rejects(
    changeRepository({ repoDir, keysDir: stranger.keysDir }, async () => ({}), true),
    foreign,
  );
  // An older copy of the keys must not sign either: it would name keys that were replaced.
  const copy = join(scratch, 'old-copy');
  await cp(keysDir, copy, { recursive: true });
  await rotateUpdateKey(keysDir, 'timestamp');
  await changeRepository({ repoDir, keysDir }, async () => ({}));
  await assert.rejects(
    changeRepository({ repoDir, keysDir: copy }, async () => ({}), true),
    foreign,
  );
});

/** The newest file of a role in a repository. */
async function newestDocument(repoDir: string, role: UpdateRole): Promise<string> {
  const folder = join(repoDir, REPOSITORY.metadata);
  if (role === 'timestamp') return readFile(join(folder, 'timestamp.json'), 'utf8');
  const versions = (await readdir(folder))
    .map((name) => Number(new RegExp(`^(\\d+)\\.${role}\\.json$`).exec(name)?.[1] ?? 0))
    .sort((left, right) => left - right);
  return readFile(join(folder, `${versions.at(-1)}.${role}.json`), 'utf8');
}
