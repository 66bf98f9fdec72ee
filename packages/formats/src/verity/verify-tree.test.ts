import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { memoryReader } from '../block-reader.ts';
import { makeVerity } from './make-verity.ts';
import { openBlockChecker, openBlocksChecker, readTree, verifyTree } from './verify-tree.ts';
import { VERITY_BLOCK_BYTES } from './verity-layout.ts';

const uuid = '6c1ba2e2-6f7e-4c7d-9d3a-0b6a9fd0a001';
const salt = Uint8Array.from({ length: 32 }, (_, index) => index);

function sampleData(blocks: number): Uint8Array {
  const data = new Uint8Array(blocks * VERITY_BLOCK_BYTES);
  const view = new DataView(data.buffer);
  for (let block = 0; block < blocks; block++) view.setUint32(block * VERITY_BLOCK_BYTES, block * 7 + 1);
  return data;
}

test('a verified tree vouches for each block by itself, for trees of no, one and two levels', async () => {
  for (const blocks of [1, 2, 128, 129, 16_385]) {
    const data = sampleData(blocks);
    const device = await makeVerity(memoryReader(data), { salt, uuid });
    const tree = verifyTree(device.bytes, device.rootHash);
    assert.ok(tree.verdict === 'pass');
    const isBlock = openBlockChecker(tree);
    const bytes = (block: number) =>
      data.subarray(block * VERITY_BLOCK_BYTES, (block + 1) * VERITY_BLOCK_BYTES);
    for (const block of new Set([0, blocks >> 1, blocks - 1])) {
      assert.ok(isBlock(block, bytes(block)), `${block} of ${blocks}`);
      assert.ok(!isBlock(block, bytes(block).slice().fill(9, 4095)), 'a changed byte');
      assert.ok(!isBlock(block + 1, bytes(block)) && !isBlock(-1, bytes(block)), 'another place');
      assert.ok(!isBlock(block, bytes(block).subarray(1)), 'a short block');
    }
    const guess = readTree(device.bytes);
    assert.deepEqual(guess?.leaves, blocks === 1 ? undefined : tree.leaves);
  }
});

test('many blocks are checked at once: as many as are good before the first that is not', async () => {
  const data = sampleData(300);
  const device = await makeVerity(memoryReader(data), { salt, uuid });
  const tree = verifyTree(device.bytes, device.rootHash);
  assert.ok(tree.verdict === 'pass');
  const goodBlocks = openBlocksChecker(tree);
  const isBlock = openBlockChecker(tree);
  const block = fc.integer({ min: -1, max: 301 });
  fc.assert(
    fc.property(block, fc.integer({ min: 0, max: 40 }), block, (first, count, flipped) => {
      const start = Math.max(first, 0) * VERITY_BLOCK_BYTES;
      const bytes = data.slice(start, start + count * VERITY_BLOCK_BYTES);
      const at = (flipped - first) * VERITY_BLOCK_BYTES + 17;
      if (at >= 0 && at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ 4;
      let expected = 0;
      const one = (index: number) =>
        bytes.subarray(index * VERITY_BLOCK_BYTES, (index + 1) * VERITY_BLOCK_BYTES);
      while (isBlock(first + expected, one(expected))) expected++;
      assert.equal(goodBlocks(first, bytes), expected);
    }),
    { numRuns: 200 },
  );
});

test('any flipped byte of the tree is found before any data is there', async () => {
  const device = await makeVerity(memoryReader(sampleData(300)), { salt, uuid });
  const place = fc.integer({ min: VERITY_BLOCK_BYTES, max: device.bytes.length - 1 });
  fc.assert(
    fc.property(place, fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const bad = device.bytes.with(at, (device.bytes[at] ?? 0) ^ flip);
      const verdict = verifyTree(bad, device.rootHash);
      assert.ok(verdict.verdict === 'fail');
      assert.equal(verdict.block, Math.floor(at / VERITY_BLOCK_BYTES));
    }),
    { numRuns: 100 },
  );
});

test('another root hash, one that is none, and a tree that is cut short fail', async () => {
  const { bytes, rootHash } = await makeVerity(memoryReader(sampleData(300)), { salt, uuid });
  const other = rootHash.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
  for (const wrong of [other, '', 'none', `${rootHash}00`, rootHash.slice(2)]) {
    assert.equal(verifyTree(bytes, wrong).verdict, 'fail', wrong);
  }
  assert.equal(verifyTree(bytes.subarray(0, -1), rootHash).verdict, 'fail');
  assert.equal(verifyTree(Buffer.concat([bytes, new Uint8Array(9999)]), rootHash).verdict, 'pass');
  assert.throws(() => verifyTree(bytes.subarray(0, 100), rootHash), { code: 'formats/truncated' });
  assert.throws(() => verifyTree(bytes.with(0, 0), rootHash), { code: 'formats/verity-invalid' });
});
