import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { byteSize } from './byte-size.ts';
import { spanMs, timeSpan } from './time-span.ts';

test('a quantity is a whole number and one of its units, nothing else', () => {
  const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  fc.assert(
    fc.property(fc.nat(999_999_999), fc.constantFrom(...(['s', 'm', 'h', 'd'] as const)), (count, unit) => {
      assert.equal(spanMs(`${count}${unit}`), count * units[unit]);
    }),
  );
  for (const bad of [
    '',
    's',
    '5',
    '5 s',
    ' 5s',
    '5s ',
    '-5s',
    '1.5h',
    '5S',
    '5ms',
    '1234567890s',
    '5constructor',
  ])
    assert.ok(Number.isNaN(spanMs(bad)), bad);
});

test('an option keeps to its bounds, which are allowed themselves, and has its fallback without a word', () => {
  const span = timeSpan({ min: '10s', max: '1h', fallback: '2m' }, 'help');
  assert.deepEqual([span.placeholder, span.shownDefault], ['TIME', '2m']);
  assert.deepEqual(
    [undefined, '10s', '60m', '90s'].map((raw) => span.read(raw)),
    [120_000, 10_000, 3_600_000, 90_000],
  );
  for (const bad of ['9s', '61m', '2', 'x'])
    assert.throws(() => span.read(bad), { message: `"${bad}", expected a time from 10s to 1h, such as 2m` });
  const size = byteSize({ min: '16B', max: '256KiB', fallback: '1KiB' }, 'help');
  assert.deepEqual([size.read(undefined), size.read('16B'), size.read('256KiB')], [1024, 16, 262_144]);
  assert.throws(() => size.read('257KiB'), { message: /^"257KiB", expected a size from 16B to 256KiB/ });
});
