import assert from 'node:assert/strict';
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { scratchFolder } from '@plinth/host/testing';
import { serveFiles } from '../testing/fake-archive.ts';
import { makeDeb } from '../testing/make-deb.ts';
import { fetchPackages } from './fetch-packages.ts';
import { openPackageStore } from './package-store.ts';
import { unpackAll, unpackDeb } from './unpack-deb.ts';

const scratch = () => scratchFolder('store');
const withCode = (code: string) => (error: unknown) => error instanceof PlinthError && error.code === code;
const one = await makeDeb('one', { 'usr/share/one': 'first\n' });
const two = await makeDeb('two', { 'usr/share/two': 'second\n' });
const LOCKED = [one.locked, two.locked];

test('fetchPackages fills the store once, and mends a damaged file', async (context) => {
  const files = new Map([
    [`/${one.locked.path}`, await readFile(one.path)],
    [`/${two.locked.path}`, await readFile(two.path)],
  ]);
  const base = await serveFiles(context, files);
  const mirrors = { debian: base, security: base };
  const root = await scratch();
  const paths = await fetchPackages(LOCKED, { mirrors, store: openPackageStore(root) });
  assert.deepEqual([...paths.keys()].sort(), ['one', 'two']);
  assert.deepEqual((await readdir(root)).sort(), LOCKED.map(({ sha256 }) => `${sha256}.deb`).sort());

  const damaged = paths.get('one') ?? '';
  await writeFile(damaged, Buffer.alloc((await stat(damaged)).size));
  await fetchPackages(LOCKED, { mirrors, store: openPackageStore(root) });
  assert.deepEqual(await readFile(damaged), await readFile(one.path));

  files.clear();
  await fetchPackages(LOCKED, { mirrors, store: openPackageStore(root) });
});

test('fetchPackages names every package that is gone and keeps the others', async (context) => {
  const third = await makeDeb('three', { 'usr/share/three': 'third\n' });
  const base = await serveFiles(context, new Map([[`/${two.locked.path}`, await readFile(two.path)]]));
  const store = openPackageStore(await scratch());
  const fetching = fetchPackages([...LOCKED, third.locked], {
    mirrors: { debian: base, security: base },
    store,
  });
  await assert.rejects(fetching, (error) => {
    assert.ok(error instanceof PlinthError && error.code === 'debian/package-gone');
    assert.match(error.message, /one 1, three 1/);
    assert.match(error.hint, /plinth lock --update/);
    return true;
  });
  assert.ok(await store.find(two.locked));
});

test('fetchPackages takes a file from a local pool, but only the right one', async (context) => {
  const pool = await scratch();
  await writeFile(join(pool, 'one_1_all.deb'), await readFile(one.path));
  await writeFile(join(pool, 'two_1_all.deb'), Buffer.alloc(two.locked.sizeBytes));
  const base = await serveFiles(context, new Map());
  const options = { mirrors: { debian: base, security: base }, pools: [pool] };
  const paths = await fetchPackages([one.locked], { ...options, store: openPackageStore(await scratch()) });
  assert.deepEqual(await readFile(paths.get('one') ?? ''), await readFile(one.path));
  await assert.rejects(
    fetchPackages([two.locked], { ...options, store: openPackageStore(await scratch()) }),
    withCode('debian/package-gone'),
  );
});

test('unpackAll unpacks packages beside each other', async () => {
  const dir = await scratch();
  await unpackAll([one.path, two.path], dir);
  assert.equal(await readFile(join(dir, 'usr/share/one'), 'utf8'), 'first\n');
  assert.equal(await readFile(join(dir, 'usr/share/two'), 'utf8'), 'second\n');
});

test('unpackDeb refuses a truncated, a damaged and a foreign file', async () => {
  const path = join(await scratch(), 'bad.deb');
  const whole = await readFile(one.path);
  const refused = async (content: Uint8Array) => {
    await writeFile(path, content);
    await assert.rejects(unpackDeb(path, await scratch()), withCode('debian/package-corrupt'));
  };
  await refused(whole.subarray(0, whole.length - 30));
  await refused(whole.subarray(0, 20));
  await refused(Buffer.from('<html>captive portal</html>'));
  const damaged = Buffer.from(whole);
  damaged.fill(0, whole.length - 80, whole.length - 20);
  await refused(damaged);
  await writeFile(path, whole);
  await truncate(path, 0);
  await assert.rejects(unpackDeb(path, await scratch()), withCode('debian/package-corrupt'));
});
