import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { memoryReader } from '../block-reader.ts';
import { buildGpt, SECTOR_BYTES } from './gpt-builder.testing.ts';
import { readGpt } from './read-gpt.ts';

const ROOT = '4f68bce3-e8cd-4db1-96e7-fbcaf984b709';
const uuid = '407ba883-f979-433a-a336-5f90d222b703';
const SECTORS = 256;
const [FIRST_USABLE, LAST_USABLE] = [34, SECTORS - 34];

const partitionArbitrary = fc
  .record(
    {
      number: fc.integer({ min: 1, max: 128 }),
      typeGuid: fc.constantFrom(ROOT, 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b', uuid),
      uuid: fc.uuid(),
      label: fc.stringMatching(/^[a-zä_0-9]{0,36}$/),
      ends: fc.tuple(
        fc.integer({ min: FIRST_USABLE, max: LAST_USABLE }),
        fc.integer({ min: FIRST_USABLE, max: LAST_USABLE }),
      ),
    },
    { noNullPrototype: true },
  )
  .map(({ ends, ...rest }) => ({ ...rest, firstLba: Math.min(...ends), lastLba: Math.max(...ends) }));

test('readGpt gives back what a disk was built from', async () => {
  const partitions = fc.uniqueArray(partitionArbitrary, { selector: ({ number }) => number, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(partitions, async (given) => {
      const gpt = await readGpt(memoryReader(buildGpt(SECTORS, given)));
      const read = gpt.partitions.map(({ number, typeGuid, uuid, label, firstLba, lastLba }) => {
        return { number, typeGuid, uuid, label, firstLba, lastLba };
      });
      assert.deepEqual(
        read,
        given.toSorted((left, right) => left.number - right.number),
      );
    }),
  );
});

test('readGpt names types, and places partitions in bytes', async () => {
  const disk = buildGpt(SECTORS, [
    { number: 3, typeGuid: ROOT, uuid, label: 'plinth_1', firstLba: 40, lastLba: 47 },
  ]);
  const [partition] = (await readGpt(memoryReader(disk))).partitions;
  assert.equal(partition?.typeName, 'root-x86-64');
  assert.equal(partition.offsetBytes, 40 * SECTOR_BYTES);
  assert.equal(partition.sizeBytes, 8 * SECTOR_BYTES);
});

test('any flipped byte of either header or table is found', async () => {
  const good = buildGpt(SECTORS, [
    { number: 1, typeGuid: ROOT, uuid, label: 'a', firstLba: 40, lastLba: 47 },
  ]);
  const last = SECTORS - 1;
  const inTables = fc.oneof(
    fc.nat(91).map((at) => SECTOR_BYTES + at),
    fc.nat(32 * SECTOR_BYTES - 1).map((at) => 2 * SECTOR_BYTES + at),
    fc.nat(32 * SECTOR_BYTES - 1).map((at) => (last - 32) * SECTOR_BYTES + at),
    fc.nat(91).map((at) => last * SECTOR_BYTES + at),
  );
  await fc.assert(
    fc.asyncProperty(inTables, fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const bad = good.with(at, (good[at] ?? 0) ^ flip);
      await assert.rejects(readGpt(memoryReader(bad)), (error: { code?: string }) =>
        /^formats\//.test(error.code ?? ''),
      );
    }),
    { numRuns: 300 },
  );
});

test('readGpt refuses disks that are cut short or no disks, and leaves its input alone', async () => {
  const good = Buffer.from(buildGpt(SECTORS, []));
  const before = Buffer.from(good);
  await readGpt(memoryReader(good));
  assert.deepEqual(good, before);
  await assert.rejects(readGpt(memoryReader(good.subarray(0, -SECTOR_BYTES))), { code: 'formats/truncated' });
  await assert.rejects(readGpt(memoryReader(new Uint8Array(SECTOR_BYTES * 100))), {
    code: 'formats/gpt-invalid',
  });
  await assert.rejects(readGpt(memoryReader(new Uint8Array(10))), { code: 'formats/gpt-invalid' });
});
