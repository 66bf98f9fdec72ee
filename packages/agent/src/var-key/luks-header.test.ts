import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { headerSize, parseKeySlots, volumeId } from './luks-header.ts';

const SIZE = 16 * 1024;

/** A header as cryptsetup writes it: magic, version, size; the JSON from 4096 on, closed by zeros. */
function header(metadata: unknown, size = SIZE): Buffer {
  const bytes = Buffer.alloc(SIZE);
  bytes.write('LUKS\xba\xbe\0\x02', 'latin1');
  bytes.writeBigUInt64BE(BigInt(size), 8);
  bytes.write(typeof metadata === 'string' ? metadata : JSON.stringify(metadata), 4096);
  return bytes;
}

const tpm2 = {
  type: 'systemd-tpm2',
  keyslots: ['0'],
  'tpm2-pcrs': [],
  tpm2_pubkey_pcrs: [11],
  'tpm2-blob': 'AA',
};
const recovery = { type: 'systemd-recovery', keyslots: ['1'] };
const keyslots = { 1: { type: 'luks2' }, 0: { type: 'luks2' }, 2: { type: 'luks2' } };

test('parseKeySlots tells what opens each slot', () => {
  assert.deepEqual(parseKeySlots(header({ keyslots, tokens: { 0: tpm2, 1: recovery } })), [
    { slot: 0, kind: 'tpm2', signedPcrs: [11], literalPcrs: [] },
    { slot: 1, kind: 'recovery', signedPcrs: [], literalPcrs: [] },
    { slot: 2, kind: 'other', signedPcrs: [], literalPcrs: [] },
  ]);
  assert.deepEqual(parseKeySlots(header({ keyslots: {} })), []);
});

test('parseKeySlots takes nothing that is no LUKS2 header for one', () => {
  assert.equal(parseKeySlots(Buffer.alloc(SIZE)), undefined);
  assert.equal(parseKeySlots(header({ keyslots }).subarray(0, SIZE - 1)), undefined);
  assert.equal(parseKeySlots(header('{"keyslots":')), undefined);
  assert.equal(parseKeySlots(header({ keyslots, tokens: { 0: { type: 'x', keyslots: [0] } } })), undefined);
  assert.equal(headerSize(header({}, 2 ** 30)), undefined);
  assert.equal(headerSize(Buffer.alloc(0)), undefined);
});

test('parseKeySlots never throws, whatever is on the disk', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), fc.uint8Array({ maxLength: 64 }), (text, noise) => {
      const bytes = header(text.slice(0, 8000));
      bytes.set(noise, 4096 + 8);
      parseKeySlots(bytes);
    }),
  );
});

test('volumeId reads the UUID of a volume, and nothing that is none', () => {
  const uuid = '4f1c9b52-6f0e-4d2c-9c58-0f3c3f9f4d11';
  const bytes = header({ keyslots });
  assert.equal(volumeId(bytes), undefined);
  bytes.write(uuid, 168, 'latin1');
  assert.equal(volumeId(bytes), uuid);
  assert.equal(volumeId(bytes.subarray(0, 200)), undefined);
  bytes.write('../', 168, 'latin1');
  assert.equal(volumeId(bytes), undefined);
  assert.equal(volumeId(Buffer.alloc(SIZE)), undefined);
});
