import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { memoryReader } from '../block-reader.ts';
import { makeVerity, veritySizeBytes } from './make-verity.ts';
import { verifyVerity } from './verify-verity.ts';
import { readSuperblock, VERITY_BLOCK_BYTES } from './verity-layout.ts';

const uuid = '6c1ba2e2-6f7e-4c7d-9d3a-0b6a9fd0a001';
const salt = Uint8Array.from({ length: 32 }, (_, index) => index);

/** Blocks that all differ, so that swapped blocks are noticed too. */
function sampleData(blocks: number): Uint8Array {
  const data = new Uint8Array(blocks * VERITY_BLOCK_BYTES);
  const view = new DataView(data.buffer);
  for (let block = 0; block < blocks; block++) view.setUint32(block * VERITY_BLOCK_BYTES, block * 7 + 1);
  return data;
}

test('what makeVerity makes passes verifyVerity, for trees of no, one and two levels', async () => {
  for (const blocks of [1, 2, 127, 128, 129, 300, 16_385]) {
    const data = sampleData(blocks);
    const device = await makeVerity(memoryReader(data), { salt, uuid });
    assert.equal(device.bytes.length, veritySizeBytes(data.length));
    assert.deepEqual(readSuperblock(device.superblock), { uuid, salt, dataBlocks: blocks });
    const verdict = await verifyVerity(memoryReader(data), device.bytes, device.rootHash);
    assert.equal(verdict.verdict, 'pass', `${blocks} blocks`);
  }
});

test('any flipped byte of data or tree is found, in its block', async () => {
  const data = sampleData(300);
  const device = await makeVerity(memoryReader(data), { salt, uuid });
  const change = fc.record({ inTree: fc.boolean(), share: fc.double({ min: 0, max: 0.9999, noNaN: true }) });
  await fc.assert(
    fc.asyncProperty(change, fc.integer({ min: 1, max: 255 }), async ({ inTree, share }, flip) => {
      const [badData, badTree] = [data.slice(), device.bytes.slice()];
      const target = inTree ? badTree : badData;
      const first = inTree ? VERITY_BLOCK_BYTES : 0;
      const offset = first + Math.floor(share * (target.length - first));
      target[offset] = (target[offset] ?? 0) ^ flip;
      const verdict = await verifyVerity(memoryReader(badData), badTree, device.rootHash);
      assert.ok(verdict.verdict === 'fail');
      assert.equal(verdict.part, inTree ? 'tree' : 'data');
      assert.equal(verdict.block, Math.floor(offset / VERITY_BLOCK_BYTES));
    }),
    { numRuns: 60 },
  );
});

test('a foreign root hash, a damaged superblock and short parts fail with their part named', async () => {
  const data = memoryReader(sampleData(200));
  const { bytes, rootHash } = await makeVerity(data, { salt, uuid });
  const part = async (...args: Parameters<typeof verifyVerity>) => {
    const verdict = await verifyVerity(...args);
    return verdict.verdict === 'fail' ? verdict.part : 'pass';
  };
  assert.equal(
    await part(
      data,
      bytes,
      rootHash.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
    ),
    'tree',
  );
  assert.equal(await part(data, bytes, 'not hex'), 'tree');
  assert.equal(await part(data, bytes.with(0, 0), rootHash), 'superblock');
  assert.equal(await part(data, bytes.subarray(0, -1), rootHash), 'superblock');
  assert.equal(await part(data, bytes.subarray(0, 100), rootHash), 'superblock');
  assert.equal(await part(memoryReader(sampleData(199)), bytes, rootHash), 'superblock');
});

test('makeVerity refuses data that is not whole blocks', async () => {
  for (const sizeBytes of [0, 1, 4095, 4097]) {
    await assert.rejects(makeVerity(memoryReader(new Uint8Array(sizeBytes)), { salt, uuid }), {
      code: 'formats/verity-invalid',
    });
  }
});

test('a reader that gives less than it promised is an error, not a pass', async () => {
  const data = memoryReader(sampleData(300));
  const { bytes, rootHash } = await makeVerity(data, { salt, uuid });
  const short = { ...data, read: (offset: number) => data.read(offset, VERITY_BLOCK_BYTES) };
  await assert.rejects(verifyVerity(short, bytes, rootHash), { code: 'formats/truncated' });
});
