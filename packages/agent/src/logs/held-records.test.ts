import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogRecord } from './entry-writer.ts';
import { HeldRecords } from './held-records.ts';

const LIMITS = { ownBytes: 20_000, totalBytes: 40_000 };

function record(text: string): LogRecord {
  const rest = { seconds: 1, nanos: 0, unit: '', identifier: '', pid: 0, priority: -1, cutBytes: 0 };
  return { ...rest, stderr: false, message: Buffer.from(text) };
}

function texts(held: HeldRecords, from: 'first' | 'last'): string[] {
  return [...held.take(from)].map(({ message }) => message.toString());
}

test('the last records stay, in either order', () => {
  for (const [from, expected] of [
    ['first', ['c', 'd']],
    ['last', ['d', 'c']],
  ] as const) {
    const held = new HeldRecords(2, LIMITS);
    for (const text of ['a', 'b', 'c', 'd']) held.addLast(record(text));
    assert.equal(held.full, true);
    assert.deepEqual(texts(held, from), expected);
    assert.deepEqual(texts(held, from), []);
  }
  const none = new HeldRecords(0, LIMITS);
  none.addLast(record('a'));
  assert.deepEqual(texts(none, 'first'), []);
});

test('many small records and few large ones are held within the same bound', () => {
  for (const sizeBytes of [0, 100, 5_000]) {
    const held = new HeldRecords(100_000, LIMITS);
    for (let count = 0; count < 1_000; count++) held.addLast(record('x'.repeat(sizeBytes)));
    assert.ok(texts(held, 'first').length <= LIMITS.ownBytes / (sizeBytes + 512) + 1, String(sizeBytes));
  }
});

test('all readers together hold no more than plinthd can spare; who has ended holds nothing', () => {
  const readers = Array.from({ length: 4 }, () => new HeldRecords(100_000, LIMITS));
  assert.throws(
    () => {
      for (const held of readers) while (!held.full) held.add(record('x'.repeat(1_000)));
    },
    { code: 'logs/busy', retryable: true },
  );
  for (const held of readers) held.release();
  const next = new HeldRecords(100_000, LIMITS);
  while (!next.full) next.add(record('x'.repeat(1_000)));
  assert.equal(texts(next, 'last').length, 14);
});
