import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { fakeSys } from '../testing/fake-sys.ts';
import { openStateStore } from './state-store.ts';

/** A folder with something stored, on a disk or on something else. */
async function madeFolder(fileSystem: string) {
  const folder = await scratchFolder('state');
  const line = `30 1 254:1 / / rw - ${fileSystem} /dev/sda rw\n`;
  const sys = fakeSys({ files: { '/proc/self/mountinfo': line } });
  await writeFile(join(folder, 'machine-config'), 'stored');
  return { folder, open: () => openStateStore(sys, folder) };
}

/** As a full disk does: whatever is written there fails. */
async function refuseWrites(folder: string): Promise<void> {
  await mkdir(join(folder, 'write-test', 'in-the-way'), { recursive: true });
}

test('a folder on a disk keeps what is written', async () => {
  const { folder, open } = await madeFolder('ext4');
  const store = await open();
  assert.equal(store.volatileBecause, undefined);
  await store.write('a/b', Buffer.from('new'));
  assert.equal((await readFile(join(folder, 'a/b'))).toString(), 'new');
});

test('what does not lie on a disk is not gone by', async () => {
  const { open } = await madeFolder('tmpfs');
  const store = await open();
  assert.match(store.volatileBecause ?? '', /is on tmpfs/);
  assert.equal(await store.read('machine-config'), undefined);
});

test('a disk that takes nothing is read all the same: the node keeps its config, its name and its cluster', async () => {
  const { folder, open } = await madeFolder('ext4');
  await refuseWrites(folder);
  const store = await open();
  assert.match(store.volatileBecause ?? '', /cannot be written/);
  assert.equal((await store.read('machine-config'))?.toString(), 'stored');
  await store.write('machine-config', Buffer.from('newer'));
  assert.equal((await store.read('machine-config'))?.toString(), 'newer');
  for (const takeAway of ['remove', 'setAside'] as const) {
    await store.write('machine-config', Buffer.from('newer'));
    await store[takeAway]('machine-config');
    assert.equal(await store.read('machine-config'), undefined, takeAway);
  }
  assert.equal(await store.read('never-stored'), undefined);
  assert.deepEqual((await readdir(folder)).sort(), ['machine-config', 'write-test']);
  assert.equal((await readFile(join(folder, 'machine-config'))).toString(), 'stored');
});
