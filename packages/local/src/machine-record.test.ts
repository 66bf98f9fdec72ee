import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { scratchFolder } from '@plinth/host/testing';
import fc from 'fast-check';
import {
  type MachineRecord,
  parseMachineRecord,
  readMachineRecord,
  writeMachineRecord,
} from './machine-record.ts';

const record: MachineRecord = {
  format: 1,
  name: 'node',
  uuid: '00000000-0000-4000-8000-000000000001',
  base: { path: '/release/plinth.raw', sizeBytes: 1, modifiedMs: 2 },
  firmware: 'secure-boot',
  accelerator: 'tcg',
  apiPort: 17546,
  startedAt: '2026-11-21T12:00:00.000Z',
  qemu: { pid: 4711, startTicks: '99' },
  tpm: { pid: 4710, startTicks: '98' },
};
const isBadRecord = (error: unknown) => error instanceof PlinthError && error.code === 'vm/bad-record';

test('a machine record is read as it was written, and there is none before', async () => {
  const folder = await scratchFolder('record');
  assert.equal(await readMachineRecord(folder), undefined);
  await writeMachineRecord(folder, record);
  assert.deepEqual(await readMachineRecord(folder), record);
});

test('parseMachineRecord refuses a record with any one field gone or of another kind', () => {
  const { tpm: _optional, ...needed } = record;
  for (const field of Object.keys(needed)) {
    for (const value of [undefined, {}]) {
      const text = JSON.stringify({ ...record, [field]: value });
      assert.throws(() => parseMachineRecord(text, 'machine.json'), isBadRecord, `${field}=${value}`);
    }
  }
});

for (const pid of [0, 1, -5, 1.5, '7']) {
  test(`parseMachineRecord refuses the process number ${JSON.stringify(pid)}`, () => {
    const text = JSON.stringify({ ...record, qemu: { pid, startTicks: '1' } });
    assert.throws(() => parseMachineRecord(text, 'machine.json'), isBadRecord);
  });
}

test('parseMachineRecord answers any text with a record or vm/bad-record', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      assert.throws(() => parseMachineRecord(text, 'machine.json'), isBadRecord);
    }),
  );
});
