import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { concatBytes, encodeText } from '../bytes.ts';
import { readCpio } from './read-cpio.ts';
import { type CpioEntry, writeCpio } from './write-cpio.ts';

const mtimeSeconds = 1_763_700_000;
const mode = fc.integer({ min: 0, max: 0o7777 });
const leaf = fc.oneof(
  fc.record({ kind: fc.constant('directory' as const), mode }),
  fc.record({ kind: fc.constant('file' as const), mode, data: fc.uint8Array({ maxLength: 600 }) }),
  fc.record({ kind: fc.constant('symlink' as const), target: fc.stringMatching(/^[a-z./]{1,30}$/) }),
);
/** Distinct top folders keep paths free of conflicts; a nested name makes parents appear. */
const entriesArbitrary = fc
  .uniqueArray(fc.stringMatching(/^[a-zäß0-9._-]{1,12}$/), { maxLength: 12 })
  .map((names) => names.filter((name) => name !== '.' && name !== '..'))
  .chain((names) => fc.tuple(...names.map((name) => leaf.map((body) => ({ path: `${name}/x`, ...body })))));

test('writeCpio and readCpio are inverse, parents added, whatever the order given', () => {
  fc.assert(
    fc.property(entriesArbitrary, (entries) => {
      const archive = writeCpio(entries, { mtimeSeconds });
      assert.equal(archive.length % 512, 0);
      const read = readCpio(archive);
      assert.equal(read.endOffset, archive.length);
      const given = new Map(entries.map((entry) => [entry.path, entry]));
      assert.deepEqual(
        new Map(read.entries.filter(({ path }) => path.includes('/')).map((e) => [e.path, e])),
        given,
      );
      assert.equal(read.entries.length, 2 * entries.length);
      assert.deepEqual(writeCpio([...entries].reverse(), { mtimeSeconds }), archive);
    }),
  );
});

test('an archive after another is found at endOffset', () => {
  const archive = (path: string): Uint8Array =>
    writeCpio([{ kind: 'file', path, mode: 0o644, data: encodeText(path) }], { mtimeSeconds });
  const both = concatBytes([archive('one'), archive('two')]);
  const first = readCpio(both);
  assert.equal(first.entries[0]?.path, 'one');
  assert.equal(readCpio(both, first.endOffset).entries[0]?.path, 'two');
});

test('writeCpio refuses what an initrd cannot mean', () => {
  const file = (path: string): CpioEntry => ({ kind: 'file', path, mode: 0o644, data: new Uint8Array() });
  for (const paths of [['/a'], ['a//b'], ['../a'], ['a', 'a'], ['a', 'a/b'], ['']]) {
    assert.throws(() => writeCpio(paths.map(file), { mtimeSeconds }), { code: 'formats/cpio-invalid' });
  }
});

test('readCpio answers damage with a value or a coded error', () => {
  const good = writeCpio([{ kind: 'file', path: 'a/b', mode: 0o600, data: encodeText('hello') }], {
    mtimeSeconds,
  });
  fc.assert(
    fc.property(fc.nat(good.length), fc.nat(good.length - 1), fc.nat(255), (length, offset, value) => {
      const bad = good.slice();
      bad[offset] = value;
      try {
        readCpio(bad.subarray(0, length));
      } catch (error) {
        assert.ok(error instanceof PlinthError && error.code.startsWith('formats/'), String(error));
      }
    }),
    { numRuns: 1000 },
  );
  assert.throws(() => readCpio(good.subarray(0, 200)), { code: 'formats/truncated' });
  assert.throws(() => readCpio(new Uint8Array(512)), { code: 'formats/cpio-invalid' });
});
