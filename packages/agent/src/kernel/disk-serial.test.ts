import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fakeSys } from '../testing/fake-sys.ts';
import { parseUnitSerial, readDiskSerial } from './disk-serial.ts';

/** As libata gives it: twenty characters, filled up with spaces before or behind. */
const page = (text: string) =>
  Buffer.concat([Buffer.from([0, 0x80, 0, text.length]), Buffer.from(text, 'latin1')]);

test('a serial number is read where each kind of disk has it', async () => {
  const sda = '/sys/block/sda';
  const of = (files: Readonly<Record<string, string | Buffer>>) => readDiskSerial(fakeSys({ files }), sda);
  assert.equal(await of({ [`${sda}/device/vpd_pg80`]: page('              QM00003') }), 'QM00003');
  assert.equal(await of({ [`${sda}/device/serial`]: 'S5GXNX0T123456      \n' }), 'S5GXNX0T123456');
  assert.equal(await of({ [`${sda}/serial`]: 'data-1\n', [`${sda}/device/vpd_pg80`]: page('x') }), 'data-1');
  assert.equal(await of({ [`${sda}/size`]: '8\n' }), '');
});

test('a page of another kind, cut off, or with bytes that are no text gives no serial number', () => {
  assert.equal(parseUnitSerial(page('WD-WCC 4N7 ')), 'WD-WCC 4N7');
  // The disk says more than it gives.
  assert.equal(parseUnitSerial(Buffer.concat([Buffer.from([0, 0x80, 0, 20]), Buffer.from('AB')])), 'AB');
  // What lies behind the number is not of it.
  assert.equal(parseUnitSerial(Buffer.concat([page('AB'), Buffer.from('CD')])), 'AB');
  for (const wrong of [
    Buffer.alloc(0),
    Buffer.from([0, 0x80, 0]),
    Buffer.from([0, 0x83, 0, 2, 65, 65]),
    page(''),
    page('    '),
    page('\0\0\0'),
    page('A\nB'),
    page('A\x1b[2J'),
    page('\xff\xfe'),
  ])
    assert.equal(parseUnitSerial(wrong), '', wrong.toString('hex'));
});

test('whatever bytes come, a serial number is text of one line', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      assert.match(parseUnitSerial(Buffer.from([0, 0x80, 0, bytes.length, ...bytes])), /^[\x20-\x7e]*$/);
    }),
  );
});
