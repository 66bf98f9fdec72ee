import assert from 'node:assert/strict';
import { stat, truncate } from 'node:fs/promises';
import { test } from 'node:test';
import { codeOf } from '@plinth/host/testing';
import { makeDeb } from '../testing/make-deb.ts';
import { readFromDeb } from './read-from-deb.ts';

const LONG = `usr/share/doc/${'long-name-'.repeat(14)}/changelog.gz`;

test('single files come out of a package: long names too, large ones not, and no more than asked for', async () => {
  const { path } = await makeDeb('p', {
    'usr/bin/big': 'x'.repeat(100_000),
    'usr/share/doc/p/a.gz': 'a',
    'usr/share/doc/p/b.gz': 'b',
    [LONG]: 'long',
  });
  const read = async (wanted: (name: string) => boolean, limitBytes: number, most: number) =>
    (await readFromDeb(path, wanted, { limitBytes, most })).map((file) => `${file.path}=${file.bytes}`);
  assert.deepEqual(await read((name) => name === LONG, 1_000, 1), [`${LONG}=long`]);
  assert.deepEqual(await read((name) => name === 'usr/bin/big', 1_000, 1), []);
  assert.equal((await read((name) => name.endsWith('.gz'), 1_000, 2)).length, 2);
  assert.deepEqual(await read(() => false, 1_000, 1), []);
});

test('a package that was cut off is damaged, not empty', async () => {
  const { path } = await makeDeb('p', { 'usr/bin/x': 'x'.repeat(10_000) });
  await truncate(path, (await stat(path)).size - 60);
  assert.equal(await codeOf(readFromDeb(path, () => false, { limitBytes: 1_000 })), 'debian/package-corrupt');
});
