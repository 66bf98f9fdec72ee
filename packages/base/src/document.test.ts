import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { closest, readDocument } from './document.ts';

const schema = z.strictObject({
  storage: z.strictObject({ rootHash: z.string(), sizeMiB: z.number().int() }),
});
const read = (text: string) => readDocument(text, 'a.yaml', schema, 'cli/usage');

test('readDocument returns the value of a valid document', () => {
  const result = read('storage:\n  rootHash: ab\n  sizeMiB: 3\n');
  assert.deepEqual(result, { ok: true, value: { storage: { rootHash: 'ab', sizeMiB: 3 } } });
});

test('readDocument points at an unknown key and guesses the one that was meant', () => {
  const result = read('storage:\n  rootHsh: ab\n  rootHash: cd\n  sizeMiB: 3\n');
  assert.ok(!result.ok);
  const [first] = result.diagnostics;
  assert.equal(first?.span?.line, 2);
  assert.match(first?.message ?? '', /unknown key "rootHsh"/);
  assert.equal(first?.hint, 'did you mean "rootHash"?');
});

test('readDocument reports every problem at once', () => {
  const result = read('storage:\n  rootHash: 1\n  sizeMiB: x\n');
  assert.ok(!result.ok);
  assert.deepEqual(
    result.diagnostics.map((each) => each.span?.line),
    [2, 3],
  );
});

test('readDocument says in words of a config what is wrong with a value', () => {
  const of = (text: string) =>
    readDocument(
      text,
      'a.yaml',
      z.object({ mode: z.enum(['a', 'b']), names: z.array(z.string()) }),
      'cli/usage',
    );
  const said = (text: string) => {
    const result = of(text);
    return result.ok ? [] : result.diagnostics.map(({ message }) => message);
  };
  assert.deepEqual(said('mode: c\nnames: x\n'), [
    'Cannot read a.yaml: "mode" has another value, expected one of a, b',
    'Cannot read a.yaml: "names" is a text, expected a list',
  ]);
  assert.deepEqual(said('mode: a\nnames:\n'), ['Cannot read a.yaml: "names" is empty, expected a list']);
  assert.deepEqual(said('mode: a\nnames: [1]\n'), [
    'Cannot read a.yaml: item 1 is a number, expected a text',
  ]);
  assert.deepEqual(said('[]\n'), ['Cannot read a.yaml: it is a list, expected a map']);
});

test('readDocument refuses aliases, broken YAML and doubled keys', () => {
  for (const text of ['a: &x 1\nb: *x\n', 'storage: [', 'storage: 1\nstorage: 2\n']) {
    assert.equal(read(text).ok, false, text);
  }
});

test('closest finds a near word only', () => {
  assert.equal(closest('inspekt', ['inspect', 'diff']), 'inspect');
  assert.equal(closest('zzzz', ['inspect', 'diff']), undefined);
});
