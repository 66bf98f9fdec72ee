import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type LogEntry, ReadLogsResponseSchema } from '@plinth/api';
import fc from 'fast-check';
import { EntryWriter, type LogRecord, MESSAGE_LIMIT_BYTES } from './entry-writer.ts';
import { JournalExport } from './journal-export.ts';

/** A value as the format writes it: as a line where it is text, else with its length. */
function field(name: string, value: Buffer, binary = false): Buffer {
  const isText = !binary && !value.some((byte) => byte < 0x20 && byte !== 0x09);
  if (isText) return Buffer.concat([Buffer.from(`${name}=`), value, Buffer.from('\n')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, value, Buffer.from('\n')]);
}

/** What a client gets of a stream that comes in pieces of these sizes. */
function entriesOf(stream: Buffer, pieceBytes: readonly number[] = [stream.length]): LogEntry[] {
  const writer = new EntryWriter();
  const entries: LogEntry[] = [];
  const take = () => {
    const answer = writer.take();
    if (!answer) return;
    const received = fromBinary(ReadLogsResponseSchema, toBinary(ReadLogsResponseSchema, answer));
    entries.push(...(received.entries?.entries ?? []));
  };
  const journal = new JournalExport((record) => {
    writer.add(record);
    if (writer.full) take();
  });
  for (let at = 0, index = 0; at < stream.length; index++) {
    const size = Math.max(pieceBytes[index % pieceBytes.length] ?? 1, 1);
    journal.push(Buffer.from(stream.subarray(at, at + size)));
    at += size;
  }
  take();
  return entries;
}

const message = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  // What looks like the end of an entry and the beginning of a forged one.
  fc.constant(Buffer.from('a\n\n__REALTIME_TIMESTAMP=1\nMESSAGE=forged\n\n')),
);
const entry = fc.record({
  timeUs: fc.integer({ min: 0, max: 4_000_000_000_000_000 }),
  unit: fc.constantFrom('', 'kubelet.service', 'système.service'),
  identifier: fc.constantFrom('', 'kubelet', 'x'.repeat(300)),
  pid: fc.integer({ min: 0, max: 0x7fff_ffff }),
  priority: fc.integer({ min: -1, max: 7 }),
  message,
  binary: fc.boolean(),
});

test('entries come out as they went in, whatever they hold and however the stream is cut', () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 20 }), pieces, (entries, pieceBytes) => {
      const text = (name: string, value: string | number) => field(name, Buffer.from(String(value)));
      const stream = Buffer.concat(
        entries.flatMap((each) => [
          text('__CURSOR', 's=1;i=2'),
          text('__REALTIME_TIMESTAMP', each.timeUs),
          ...(each.priority >= 0 ? [text('PRIORITY', each.priority)] : []),
          ...(each.unit ? [text('_SYSTEMD_UNIT', each.unit)] : []),
          text('_COMM', 'comm'),
          field('MESSAGE', each.message, each.binary),
          ...(each.identifier ? [text('SYSLOG_IDENTIFIER', each.identifier)] : []),
          text('_PID', each.pid),
          field('EXTRA', Buffer.from('x\ny')),
          Buffer.from('\n'),
        ]),
      );
      const found = entriesOf(stream, pieceBytes).map((one) => ({
        timeUs: Number(one.time?.seconds ?? 0) * 1e6 + (one.time?.nanos ?? 0) / 1000,
        unit: one.unit,
        identifier: one.identifier,
        pid: one.pid,
        priority: one.priority,
        message: one.message,
      }));
      assert.deepEqual(
        found,
        entries.map((each) => ({
          timeUs: each.timeUs,
          unit: each.unit,
          identifier: each.identifier.slice(0, 256) || 'comm',
          pid: each.pid,
          priority: each.priority < 0 ? undefined : each.priority,
          message: each.message.toString('utf8'),
        })),
      );
    }),
  );
});

test('a message beyond the limit is cut, text or not, and the entry after it is whole', () => {
  for (const binary of [false, true]) {
    for (const pieceBytes of [1000, 65_536, 300_000]) {
      const large = Buffer.alloc(MESSAGE_LIMIT_BYTES * 4 + 5, 'a');
      const stream = Buffer.concat([
        field('__REALTIME_TIMESTAMP', Buffer.from('1')),
        field('OTHER', Buffer.alloc(200_000, 'b'), binary),
        field('MESSAGE', large, binary),
        Buffer.from('\n'),
        field('__REALTIME_TIMESTAMP', Buffer.from('2')),
        field('MESSAGE', Buffer.from('small')),
        Buffer.from('\n'),
      ]);
      const found = entriesOf(stream, [pieceBytes]).map(({ message: text, cutBytes }) => [
        text.length,
        Number(cutBytes),
      ]);
      assert.deepEqual(found, [
        [MESSAGE_LIMIT_BYTES, large.length - MESSAGE_LIMIT_BYTES],
        [5, 0],
      ]);
    }
  }
});

test('what is not this format is an error, and never grows in memory', () => {
  const journal = new JournalExport(() => {});
  assert.throws(() => journal.push(Buffer.alloc(100, 'x')), SyntaxError);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (noise) => {
      try {
        entriesOf(Buffer.from(noise), [7]);
      } catch (reason) {
        assert.ok(reason instanceof SyntaxError, String(reason));
      }
    }),
  );
});

test('the largest entries fit into an answer, with every byte wrong', () => {
  const record: LogRecord = {
    ...{ seconds: 1, nanos: 999_999_999, pid: 0xffff_ffff, priority: 7, stderr: true, cutBytes: 2 ** 52 },
    ...{ unit: '€'.repeat(300), identifier: '€'.repeat(300) },
    message: Buffer.alloc(MESSAGE_LIMIT_BYTES, 0xff),
  };
  const writer = new EntryWriter();
  const small = { ...record, unit: '', identifier: '', message: Buffer.from('x'.repeat(4000)) };
  for (let count = 0; count < 12; count++) writer.add(small);
  assert.equal(writer.full, false);
  writer.add(record);
  assert.throws(() => writer.add(record), RangeError);
  const answer = writer.take();
  assert.ok(answer);
  const { entries } = fromBinary(ReadLogsResponseSchema, toBinary(ReadLogsResponseSchema, answer));
  const last = entries?.entries.at(-1);
  assert.equal(last?.message, '\ufffd'.repeat(MESSAGE_LIMIT_BYTES));
  assert.deepEqual([last?.cutBytes, last?.stderr, last?.unit], [2n ** 52n, true, '€'.repeat(256)]);
});
