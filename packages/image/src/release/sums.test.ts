import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { formatSums, parseSums } from './sums.ts';

const digest = fc.stringMatching(/^[0-9a-f]{64}$/);
const name = fc.stringMatching(/^[A-Za-z0-9_~+.-]{1,40}$/).filter((text) => text !== '.' && text !== '..');

test('property: sums survive writing and reading, whatever their order', () => {
  fc.assert(
    fc.property(fc.dictionary(name, digest), (entries) => {
      const sums = new Map(Object.entries(entries));
      assert.deepEqual(parseSums(formatSums(sums)), new Map([...sums].sort()));
      assert.equal(formatSums(new Map([...sums].reverse())), formatSums(sums));
    }),
  );
});

test('parseSums refuses names that leave the folder, repeats, bad digests and cut lines', () => {
  const hash = 'a'.repeat(64);
  for (const text of [
    `${hash}  ../x\n`,
    `${hash}  ..\n`,
    `${hash}  /etc/passwd\n`,
    `${hash}  x\n${hash}  x\n`,
    `${hash.slice(1)}  x\n`,
    `${hash.toUpperCase()}  x\n`,
    `${hash}  x`,
    `${hash}  a\tb\n`,
    '\n',
  ]) {
    assert.throws(
      () => parseSums(text),
      (error) => error instanceof PlinthError && error.code === 'release/sums-invalid',
      JSON.stringify(text),
    );
  }
});
