import { isUtf8 } from 'node:buffer';
import { create } from '@bufbuild/protobuf';
import { type ReadLogsResponse, ReadLogsResponseSchema } from '@plinth/api';

/** One entry on its way to a client. Texts are bytes of a log as they are. */
export interface LogRecord {
  /** Seconds and nanoseconds since 1970. */
  readonly seconds: number;
  readonly nanos: number;
  readonly unit: string;
  readonly identifier: string;
  readonly pid: number;
  /** -1 when the writer gave none. */
  readonly priority: number;
  readonly message: Buffer;
  readonly stderr: boolean;
  readonly cutBytes: number;
}

/** A message is cut here. Larger ones are dumps that nobody reads in a log. */
export const MESSAGE_LIMIT_BYTES = 32 * 1024;
/** What other texts of an entry may take: unit names have at most 256 characters, identifiers are cut. */
const TEXT_LIMIT_CHARS = 256;
/** An answer is sent when it is this large; one more entry of any size still fits into the buffer. */
const FULL_BYTES = 48 * 1024;
/** U+FFFD takes three bytes where one was wrong. */
const BUFFER_BYTES = FULL_BYTES + MESSAGE_LIMIT_BYTES * 3 + 3 * 2 * TEXT_LIMIT_CHARS + 128;

/**
 * EntryWriter collects entries into answers of LogsService. It writes protobuf by hand: without a just-in-time compiler
 * the library's encoder, which looks each field up, would be most of the cost of a large log. The numbers are those of
 * logs.proto; a test holds both against each other.
 */
export class EntryWriter {
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #at = 0;

  get full(): boolean {
    return this.#at >= FULL_BYTES;
  }

  /** Adds an entry. Throws RangeError when it is full: the caller takes the answer first. */
  add(record: LogRecord): void {
    if (this.full) throw new RangeError('the answer is full');
    const buffer = this.#buffer;
    // LogEntries.entries = 1: its length takes three bytes, filled in when it is known.
    buffer[this.#at++] = 0x0a;
    const lengthAt = this.#at;
    this.#at += 3;
    const from = this.#at;
    this.#time(record);
    this.#text(0x12, record.unit);
    this.#text(0x1a, record.identifier);
    if (record.pid > 0) this.#number(0x20, record.pid);
    if (record.priority >= 0) this.#number(0x28, record.priority);
    this.#message(record.message);
    if (record.stderr) this.#number(0x38, 1);
    if (record.cutBytes > 0) this.#number(0x40, record.cutBytes);
    const length = this.#at - from;
    buffer[lengthAt] = (length & 0x7f) | 0x80;
    buffer[lengthAt + 1] = ((length >> 7) & 0x7f) | 0x80;
    buffer[lengthAt + 2] = length >> 14;
  }

  /** Gives what was collected since the last time, and begins anew; undefined when that is nothing. */
  take(): ReadLogsResponse | undefined {
    if (this.#at === 0) return undefined;
    const length = varintBytes(this.#at);
    const data = Buffer.concat([length, this.#buffer.subarray(0, this.#at)]);
    this.#at = 0;
    const answer = create(ReadLogsResponseSchema);
    // On the wire an encoded message in a field is the field; the library passes on as it is what it does not know.
    answer.$unknown = [{ no: 1, wireType: 2, data }];
    return answer;
  }

  /** google.protobuf.Timestamp. */
  #time({ seconds, nanos }: LogRecord): void {
    const lengthAt = this.#at + 1;
    this.#buffer[this.#at] = 0x0a;
    this.#at += 2;
    this.#number(0x08, seconds);
    if (nanos > 0) this.#number(0x10, nanos);
    this.#buffer[lengthAt] = this.#at - lengthAt - 1;
  }

  #text(tag: number, text: string): void {
    if (text === '') return;
    const buffer = this.#buffer;
    const cut = text.length > TEXT_LIMIT_CHARS ? text.slice(0, TEXT_LIMIT_CHARS).toWellFormed() : text;
    const length = Buffer.byteLength(cut);
    buffer[this.#at++] = tag;
    this.#varint(length);
    this.#at += buffer.write(cut, this.#at, length, 'utf8');
  }

  #message(message: Buffer): void {
    if (message.length === 0) return;
    const text = isUtf8(message) ? message : Buffer.from(message.toString('utf8'));
    this.#buffer[this.#at++] = 0x32;
    this.#varint(text.length);
    this.#at += text.copy(this.#buffer, this.#at);
  }

  #number(tag: number, value: number): void {
    this.#buffer[this.#at++] = tag;
    this.#varint(value);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#buffer[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#at++] = rest;
  }
}

function varintBytes(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
