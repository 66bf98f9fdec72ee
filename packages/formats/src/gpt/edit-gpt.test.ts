import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { memoryReader } from '../block-reader.ts';
import { editGpt, type GptEdit } from './edit-gpt.ts';
import { buildGpt, type PartitionParts } from './gpt-builder.testing.ts';
import { readGptTables } from './gpt-tables.ts';
import { readGpt } from './read-gpt.ts';

const ROOT = '4f68bce3-e8cd-4db1-96e7-fbcaf984b709';
const SECTORS = 300;

/** Disks with partitions one behind the other, and edits of some of them. */
const cases = fc
  .record({
    sectorBytes: fc.constantFrom(512, 4096),
    ids: fc.uniqueArray(fc.uuid(), { minLength: 16, maxLength: 16 }),
    numbers: fc.uniqueArray(fc.integer({ min: 1, max: 128 }), { minLength: 1, maxLength: 8 }),
    labels: fc.array(fc.string({ maxLength: 36, unit: 'grapheme' }).map(fitting), {
      minLength: 16,
      maxLength: 16,
    }),
    edited: fc.integer({ min: 1, max: 8 }),
  })
  .map(({ sectorBytes, ids, numbers, labels, edited }) => {
    const partitions = numbers.map((number, index): PartitionParts => {
      const firstLba = 40 + index * 10;
      const named = { uuid: ids[index] ?? '', label: labels[index] ?? '' };
      return { number, typeGuid: ROOT, ...named, firstLba, lastLba: firstLba + 9 };
    });
    const edits = numbers.slice(0, edited).map((number, index): GptEdit => {
      return { number, uuid: ids[8 + index] ?? '', label: labels[8 + index] ?? '' };
    });
    return { sectorBytes, disk: buildGpt(SECTORS, partitions, sectorBytes), edits };
  });

function fitting(text: string): string {
  return text.replaceAll('\0', '').toWellFormed().slice(0, 36).toWellFormed().replaceAll('\ufffd', '');
}

test('both tables say the new labels and ids, and all else of the disk is as it was', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ disk, sectorBytes, edits }) => {
      const before = await readGpt(memoryReader(disk), { sectorBytes });
      const after = disk.slice();
      for (const write of editGpt(await readGptTables(memoryReader(disk), { sectorBytes }), edits)) {
        after.set(write.bytes, write.offsetBytes);
      }
      const expected = before.partitions.map((partition) => {
        const edit = edits.find(({ number }) => number === partition.number);
        return edit ? { ...partition, label: edit.label, uuid: edit.uuid } : partition;
      });
      assert.deepEqual((await readGpt(memoryReader(after), { sectorBytes })).partitions, expected);
      // What may change: ids and labels of edited entries, CRCs of headers.
      for (const start of [2 * sectorBytes, disk.length - sectorBytes - 16_384]) {
        for (const { number } of edits) {
          for (const [from, to] of [
            [16, 32],
            [56, 128],
          ] as const) {
            const at = start + (number - 1) * 128;
            after.set(disk.subarray(at + from, at + to), at + from);
          }
        }
      }
      for (const header of [sectorBytes, disk.length - sectorBytes]) {
        for (const at of [header + 16, header + 88]) after.set(disk.subarray(at, at + 4), at);
      }
      assert.ok(Buffer.compare(after, disk) === 0, 'something else changed');
    }),
    { numRuns: 50 },
  );
});

test('a cut anywhere leaves a table that says all old or all new; the next edit mends the rest', async () => {
  const cut = fc.record({
    write: fc.nat(3),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    backwards: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      cases,
      fc.array(cut, { minLength: 1, maxLength: 4 }),
      async ({ disk, sectorBytes, edits }, cuts) => {
        const options = { sectorBytes };
        const old = (await readGptTables(memoryReader(disk), options)).partitions;
        const named = (partitions: typeof old) =>
          JSON.stringify(partitions.map(({ label, uuid }) => [label, uuid]));
        const whole = apply(disk, editGpt(await readGptTables(memoryReader(disk), options), edits));
        const changed = (await readGptTables(memoryReader(whole), options)).partitions;
        let now = disk;
        // Cut again and again, each time in the middle of what mends the cut before.
        for (const { write, share, backwards } of cuts) {
          const writes = editGpt(await readGptTables(memoryReader(now), options), edits);
          const last = writes[write];
          assert.ok(last);
          now = apply(now, writes.slice(0, write));
          const length = Math.floor(share * last.bytes.length);
          const [from, to] = backwards ? [last.bytes.length - length, last.bytes.length] : [0, length];
          now.set(last.bytes.subarray(from, to), last.offsetBytes + from);
          const seen = named((await readGptTables(memoryReader(now), options)).partitions);
          assert.ok(seen === named(old) || seen === named(changed), 'neither old nor new');
        }
        now = apply(now, editGpt(await readGptTables(memoryReader(now), options), edits));
        assert.ok(Buffer.compare(now, whole) === 0, 'the disk is not mended');
      },
    ),
    { numRuns: 100 },
  );
});

test('the table that counts is written last: the backup goes first, or the primary when that is torn', async () => {
  const disk = buildGpt(SECTORS, [
    { number: 1, typeGuid: ROOT, uuid: ROOT, label: 'a', firstLba: 40, lastLba: 49 },
  ]);
  const order = async (bytes: Uint8Array) =>
    editGpt(await readGptTables(memoryReader(bytes)), []).map(({ what }) => what);
  const backupFirst = ['backup entries', 'backup header', 'primary entries', 'primary header'];
  assert.deepEqual(await order(disk), backupFirst);
  assert.deepEqual(await order(disk.with(disk.length - 500, 1)), backupFirst);
  const primaryFirst = [...backupFirst.slice(2), ...backupFirst.slice(0, 2)];
  assert.deepEqual(await order(disk.with(2 * 512 + 60, 9)), primaryFirst);
  // Both sectors of headers gone: where they belong is known all the same.
  assert.deepEqual(await order(disk.with(512, 0)), primaryFirst);
  await assert.rejects(order(disk.with(512, 0).with(disk.length - 512, 0)), { code: 'formats/gpt-invalid' });
});

test('what it does not understand is refused', async () => {
  const uuid = '407ba883-f979-433a-a336-5f90d222b703';
  const partition = { number: 1, typeGuid: ROOT, uuid, label: 'a', firstLba: 40, lastLba: 49 };
  const second = { ...partition, number: 2, uuid: ROOT, firstLba: 50, lastLba: 59 };
  const disk = buildGpt(SECTORS, [partition, second]);
  const tables = await readGptTables(memoryReader(disk));
  const refused = (edit: GptEdit) =>
    assert.throws(() => editGpt(tables, [edit]), { code: 'formats/gpt-invalid' });
  const other = 'b4e1c3a6-0b1c-4c52-8a0b-5d3c9f1e2a77';
  refused({ number: 0, label: 'x', uuid: other });
  refused({ number: 129, label: 'x', uuid: other });
  refused({ number: 3, label: 'x', uuid: other });
  refused({ number: 1, label: 'x'.repeat(37), uuid: other });
  refused({ number: 1, label: 'a\0b', uuid: other });
  refused({ number: 1, label: '\ud800', uuid: other });
  refused({ number: 1, label: 'x', uuid: 'none' });
  refused({ number: 1, label: 'x', uuid: ROOT.toUpperCase() });
  assert.equal(
    editGpt(tables, [
      { number: 1, label: 'x', uuid: ROOT },
      { ...second, uuid },
    ]).length,
    4,
  );

  // Another disk's backup, whole by itself, is not written over.
  const foreign = disk.slice();
  foreign.set(buildGpt(SECTORS, [partition], 512).subarray(-512 * 33), disk.length - 512 * 33);
  const header = foreign.subarray(-512);
  header[56] = 1;
  new DataView(header.buffer, header.byteOffset).setUint32(
    16,
    crc32(header.slice(0, 92).fill(0, 16, 20)),
    true,
  );
  const mixed = await readGptTables(memoryReader(foreign));
  assert.ok(mixed.primary && mixed.backup);
  assert.throws(() => editGpt(mixed, []), { code: 'formats/gpt-invalid' });
});

test('headers that lie, with CRCs that hold, never make it write outside of the disk or into a partition', async () => {
  const lie = fc.record({
    backup: fc.boolean(),
    at: fc.constantFrom(24, 32, 40, 48, 72, 80, 84),
    value: fc.oneof(fc.nat(SECTORS + 40), fc.constantFrom(0, 0xffff_ffff, 2 ** 31)),
  });
  const lies = fc.array(lie, { minLength: 1, maxLength: 3 });
  let written = 0;
  await fc.assert(
    fc.asyncProperty(cases, lies, async ({ disk, sectorBytes, edits }, told) => {
      const before = await readGpt(memoryReader(disk), { sectorBytes });
      const bad = disk.slice();
      for (const { backup, at, value } of told) {
        const start = backup ? bad.length - sectorBytes : sectorBytes;
        const header = bad.subarray(start, start + sectorBytes);
        const view = new DataView(header.buffer, header.byteOffset);
        view.setUint32(at, value, true);
        view.setUint32(16, crc32(header.slice(0, 92).fill(0, 16, 20)), true);
      }
      const writes = await readGptTables(memoryReader(bad), { sectorBytes })
        .then((tables) => editGpt(tables, edits))
        .catch((error: { code?: string }) => {
          assert.match(error.code ?? String(error), /^formats\//);
          return [];
        });
      for (const { offsetBytes, bytes } of writes) {
        written++;
        const endBytes = offsetBytes + bytes.length;
        assert.ok(offsetBytes >= sectorBytes && endBytes <= bad.length, 'outside of the disk');
        for (const partition of before.partitions) {
          const past = partition.offsetBytes + partition.sizeBytes;
          assert.ok(offsetBytes >= past || endBytes <= partition.offsetBytes, 'in a partition');
        }
      }
    }),
    { numRuns: 2000 },
  );
  assert.ok(written > 500, `only ${written} writes`);
});

function apply(
  disk: Uint8Array,
  writes: readonly { readonly offsetBytes: number; readonly bytes: Uint8Array }[],
) {
  const after = disk.slice();
  for (const { bytes, offsetBytes } of writes) after.set(bytes, offsetBytes);
  return after;
}
