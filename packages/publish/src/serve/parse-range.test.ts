import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRange } from './parse-range.ts';

test('single ranges in their three forms', () => {
  assert.deepEqual(parseRange('bytes=0-3', 10), { first: 0, last: 3 });
  assert.deepEqual(parseRange('bytes=4-', 10), { first: 4, last: 9 });
  assert.deepEqual(parseRange('bytes=-3', 10), { first: 7, last: 9 });
  assert.deepEqual(parseRange('bytes=-30', 10), { first: 0, last: 9 });
  assert.deepEqual(parseRange('bytes=8-30', 10), { first: 8, last: 9 });
});

test('what begins behind the end cannot be satisfied; what is no range is passed over', () => {
  for (const header of ['bytes=10-', 'bytes=10-20', 'bytes=-0'])
    assert.equal(parseRange(header, 10), 'unsatisfiable');
  assert.equal(parseRange('bytes=0-', 0), 'unsatisfiable');
  for (const header of [
    undefined,
    '',
    'bytes=',
    'bytes=-',
    'bytes=5-4',
    'bytes=0-1,3-4',
    'lines=0-1',
    'bytes=a-b',
  ])
    assert.equal(parseRange(header, 10), undefined, String(header));
});

test('whatever comes, a range lies inside the file', () => {
  const header = fc.oneof(
    fc.string(),
    fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `bytes=${a}-${b}`),
  );
  fc.assert(
    fc.property(header, fc.nat(), (text, size) => {
      const range = parseRange(text, size);
      if (range === undefined || range === 'unsatisfiable') return;
      assert.ok(range.first >= 0 && range.first <= range.last && range.last < size);
    }),
  );
});
