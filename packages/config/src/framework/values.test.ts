import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, bytesOf, secondsOf } from './values.ts';

test('lengths of time are read in seconds', () => {
  assert.deepEqual(['0s', '90s', '5m', '24h', '1d', '', '-1s', '01s', '1.5h'].map(secondsOf), [
    ...[0, 90, 300, 86_400],
    ...[undefined, undefined, undefined, undefined, undefined],
  ]);
});

test('an amount is read in bytes where the schema takes it, and nowhere else', () => {
  assert.deepEqual(['1Ki', '512Mi', '2Gi', '999999999Ti'].map(bytesOf), [
    1024,
    512 * 1024 ** 2,
    2 * 1024 ** 3,
    999_999_999 * 1024 ** 4,
  ]);
  for (const text of ['', '0Gi', '01Gi', '1.5Gi', '-1Gi', '1G', '1Pi', '1Gi ', '1000000000Ki']) {
    assert.equal(bytesOf(text), undefined, text);
    assert.equal(bytes.safeParse(text).success, false, text);
  }
});
