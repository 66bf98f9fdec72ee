import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { type CapturedPacket, openPcapngReader, type PcapngSummary } from './pcapng-reader.ts';

// Sections are written here a second time, from the words of the draft.

function block(kind: number, ...parts: readonly Buffer[]): Buffer {
  const body = padded(Buffer.concat(parts));
  const frame = Buffer.alloc(8);
  frame.writeUInt32LE(kind, 0);
  frame.writeUInt32LE(body.length + 12, 4);
  return Buffer.concat([frame, body, frame.subarray(4)]);
}

function option(code: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(code, 0);
  head.writeUInt16LE(value.length, 2);
  return Buffer.concat([head, padded(value)]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

function words(...values: readonly number[]): Buffer {
  return Buffer.concat(
    values.map((value) => {
      const word = Buffer.alloc(4);
      word.writeUInt32LE(value);
      return word;
    }),
  );
}

const counter = Buffer.alloc(8);
counter.writeBigUInt64LE(7n);
const section = () => block(0x0a0d0d0a, words(0x1a2b3c4d, 1, 0xffffffff, 0xffffffff));
const card = (name: string) => block(1, words(1, 65_535), option(2, Buffer.from(name)), words(0));
const packet = (bytes: Uint8Array, id = 0) =>
  block(
    6,
    words(id, 1, 2, bytes.length, bytes.length + 5),
    padded(Buffer.from(bytes)),
    option(2, words(2)),
    words(0),
  );
const statistics = () =>
  block(5, words(0, 1, 2), option(1, Buffer.from('ended: time')), option(5, counter), words(0));

function read(bytes: Uint8Array, pieceBytes = bytes.length) {
  const packets: CapturedPacket[] = [];
  const reader = openPcapngReader((each) => packets.push({ ...each, bytes: each.bytes.slice() }));
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.subarray(at, at + pieceBytes));
  return { packets, summary: reader.end() };
}

test('a section is read the same in pieces of any size', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 6 }),
      fc.integer({ min: 1, max: 90 }),
      (contents, pieceBytes) => {
        const unknown = block(0xbad, words(1, 2, 3));
        const all = [
          section(),
          card('eth0'),
          card('lo'),
          unknown,
          ...contents.map((each) => packet(each, 1)),
        ];
        const { packets, summary } = read(Buffer.concat([...all, statistics()]), pieceBytes);
        const expected: PcapngSummary = {
          interfaces: [
            { name: 'eth0', linkType: 1 },
            { name: 'lo', linkType: 1 },
          ],
          ...{ packets: contents.length, dropped: 7, comment: 'ended: time' },
        };
        assert.deepEqual(summary, expected);
        assert.deepEqual(
          packets,
          contents.map((bytes) => ({
            ...{ interfaceId: 1, lengthBytes: bytes.length + 5, time: (1n << 32n) | 2n, direction: 'out' },
            bytes,
          })),
        );
      },
    ),
  );
});

test('whatever is damaged, it is refused with a code or read, and never read beyond its blocks', () => {
  const sound = Buffer.concat([section(), card('eth0'), packet(Buffer.alloc(9, 1)), statistics()]);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: sound.length - 1 }), fc.nat({ max: 255 })), { maxLength: 4 }),
      fc.nat({ max: sound.length }),
      (changes, cut) => {
        const bytes = Buffer.from(sound);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          read(bytes.subarray(0, cut));
        } catch (reason) {
          assert.ok(reason instanceof PlinthError && reason.code.startsWith('formats/'), String(reason));
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('what is cut, has no section or two, or names an interface that is not there is refused', () => {
  const invalid = { code: 'formats/pcapng-invalid' };
  const whole = Buffer.concat([section(), card('a'), packet(Buffer.from('x'))]);
  assert.throws(() => read(whole.subarray(0, whole.length - 4)), invalid);
  assert.throws(() => read(card('a')), invalid);
  assert.throws(() => read(Buffer.alloc(0)), invalid);
  assert.throws(() => read(Buffer.concat([section(), section()])), invalid);
  assert.throws(() => read(Buffer.concat([section(), packet(Buffer.from('x'))])), invalid);
  assert.throws(() => read(block(6, Buffer.alloc(2 * 1024 * 1024))), { code: 'formats/limit' });
});
