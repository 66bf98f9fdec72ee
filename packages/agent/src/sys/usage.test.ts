import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeSys, usageOf } from './node-sys.ts';

const BLOCKS = { bsize: 4096, blocks: 100, bfree: 20, bavail: 10 };

test('usage counts bytes, and inodes where the file system counts them', () => {
  assert.deepEqual(usageOf({ ...BLOCKS, files: 50, ffree: 5 }), {
    ...{ sizeBytes: 409_600, freeBytes: 81_920, availableBytes: 40_960, inodes: 50, availableInodes: 5 },
  });
});

test('a file system without a count of inodes has none: EROFS says 2^64 - 1', () => {
  const { inodes, availableInodes } = usageOf({ ...BLOCKS, files: 2 ** 64, ffree: 2 ** 64 - 4096 });
  assert.deepEqual([inodes, availableInodes], [0, 0]);
});

test('this machine has a root of some size', async () => {
  const { sizeBytes } = await nodeSys().usage('/');
  assert.ok(sizeBytes > 0);
});
