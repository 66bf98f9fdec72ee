import { type LogRecord, MESSAGE_LIMIT_BYTES } from './entry-writer.ts';

/** The fields of the journal that an answer is made of, asked for by name so that journalctl prints few others. */
export const JOURNAL_FIELDS = ['MESSAGE', 'PRIORITY', '_SYSTEMD_UNIT', 'SYSLOG_IDENTIFIER', '_COMM', '_PID'];

const NEWLINE = 0x0a;
const EQUALS = 0x3d;
const UNDERSCORE = 0x5f;
/** Of __REALTIME_TIMESTAMP, the one address that is wanted. */
const LETTER_R = 0x52;
/** Names of fields have at most 64 characters (systemd.journal-fields(7)). */
const NAME_LIMIT_BYTES = 64;
const LENGTH_BYTES = 8;
const NOTHING = Buffer.alloc(0);

/**
 * JournalExport reads the journal's export format (systemd.io/JOURNAL_EXPORT_FORMATS) as it comes, in pieces of any
 * size: "NAME=value" lines, or for a value with control characters NAME, its length in 64 bits, the value; an empty line
 * ends an entry. What it holds of an unfinished entry stays below 64 KiB whatever the journal holds.
 */
export class JournalExport {
  readonly #onRecord: (record: LogRecord) => void;
  /** The beginning of a field that did not come whole. */
  #rest: Buffer = NOTHING;
  /** Bytes to pass over; Infinity: up to the end of the line. */
  #skipBytes = 0;
  /** Whether bytes that are passed over belong to the message. */
  #skipsMessage = false;
  #entry = emptyEntry();

  constructor(onRecord: (record: LogRecord) => void) {
    this.#onRecord = onRecord;
  }

  /** Reads the next piece. Throws SyntaxError when it is not this format. */
  push(piece: Buffer): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let at = 0;
    while (at < bytes.length) {
      const next = this.#skipBytes > 0 ? this.#skip(bytes, at) : this.#field(bytes, at);
      if (next === undefined) break;
      at = next;
    }
    // The piece's memory is the reader's own again: what stays is copied.
    this.#rest = at < bytes.length ? Buffer.from(bytes.subarray(at)) : NOTHING;
    this.#entry.message = this.#entry.message.length === 0 ? NOTHING : Buffer.from(this.#entry.message);
  }

  #skip(bytes: Buffer, at: number): number {
    const left = bytes.length - at;
    let skipped = Math.min(left, this.#skipBytes);
    let ended = skipped === this.#skipBytes;
    if (this.#skipBytes === Number.POSITIVE_INFINITY) {
      const newline = bytes.indexOf(NEWLINE, at);
      ended = newline >= 0;
      skipped = ended ? newline + 1 - at : left;
    }
    // The line break after the value is not part of it.
    if (this.#skipsMessage) this.#entry.cutBytes += ended ? skipped - 1 : skipped;
    this.#skipBytes = ended ? 0 : this.#skipBytes - skipped;
    return at + skipped;
  }

  /** Reads one field and gives where the next begins; undefined when it is not whole yet. */
  #field(bytes: Buffer, at: number): number | undefined {
    const newline = bytes.indexOf(NEWLINE, at);
    if (newline === at) {
      this.#end();
      return at + 1;
    }
    // Most of what is not wanted are the journal's own addresses, which are text always: passed over without a look.
    if (newline > 0 && bytes[at] === UNDERSCORE && bytes[at + 1] === UNDERSCORE && bytes[at + 2] !== LETTER_R)
      return newline + 1;
    const end = newline < 0 ? bytes.length : newline;
    const equals = bytes.indexOf(EQUALS, at);
    if (equals >= 0 && equals < end) return this.#textField(bytes, at, equals, newline);
    if (end - at > NAME_LIMIT_BYTES) throw new SyntaxError('the name of a field has no end');
    return newline < 0 ? undefined : this.#binaryField(bytes, at, newline);
  }

  #textField(bytes: Buffer, at: number, equals: number, newline: number): number | undefined {
    const from = equals + 1;
    if (newline >= 0 && newline - from <= MESSAGE_LIMIT_BYTES) {
      this.#value(bytes, at, equals, from, newline);
      return newline + 1;
    }
    if (newline < 0 && bytes.length - from <= MESSAGE_LIMIT_BYTES) return undefined;
    const cut = from + MESSAGE_LIMIT_BYTES;
    this.#skipsMessage = this.#value(bytes, at, equals, from, cut);
    this.#skipBytes = Number.POSITIVE_INFINITY;
    return cut;
  }

  #binaryField(bytes: Buffer, at: number, nameEnd: number): number | undefined {
    const from = nameEnd + 1 + LENGTH_BYTES;
    if (bytes.length < from) return undefined;
    const length = bytes.readUInt32LE(nameEnd + 1) + bytes.readUInt32LE(nameEnd + 5) * 2 ** 32;
    const kept = Math.min(length, MESSAGE_LIMIT_BYTES);
    if (bytes.length < from + kept) return undefined;
    this.#skipsMessage = this.#value(bytes, at, nameEnd, from, from + kept);
    this.#skipBytes = length - kept + 1;
    return from + kept;
  }

  /** Keeps a value that is wanted; says whether it is the message. Names are told by their length first. */
  #value(bytes: Buffer, at: number, nameEnd: number, from: number, to: number): boolean {
    const entry = this.#entry;
    const is = (name: string) => bytes.toString('latin1', at, nameEnd) === name;
    const text = () => bytes.toString('utf8', from, to);
    switch (nameEnd - at) {
      case 4:
        if (is('_PID')) entry.pid = Number(text());
        break;
      case 5:
        if (is('_COMM')) entry.comm = text();
        break;
      case 7:
        // A writer may give several; the journal's own tools show the first.
        if (entry.hasMessage || !is('MESSAGE')) break;
        entry.message = bytes.subarray(from, to);
        entry.hasMessage = true;
        return true;
      case 8:
        if (is('PRIORITY')) entry.priority = Number(text());
        break;
      case 13:
        if (is('_SYSTEMD_UNIT')) entry.unit = text();
        break;
      case 17:
        if (is('SYSLOG_IDENTIFIER')) entry.identifier = text();
        break;
      case 20:
        if (is('__REALTIME_TIMESTAMP')) entry.timeUs = Number(text());
        break;
    }
    return false;
  }

  #end(): void {
    const { timeUs, comm, priority, ...entry } = this.#entry;
    this.#entry = emptyEntry();
    if (timeUs < 0) return;
    this.#onRecord({
      seconds: Math.floor(timeUs / 1e6),
      nanos: (timeUs % 1e6) * 1000,
      unit: entry.unit,
      identifier: entry.identifier || comm,
      pid: wholeNumber(entry.pid, 0xffff_ffff, 0),
      priority: wholeNumber(priority, 7, -1),
      message: entry.message,
      stderr: false,
      cutBytes: entry.cutBytes,
    });
  }
}

/** Numbers in the journal are texts that anybody may have written. */
function wholeNumber(value: number, max: number, otherwise: number): number {
  return Number.isInteger(value) && value >= 0 && value <= max ? value : otherwise;
}

function emptyEntry() {
  return {
    timeUs: -1,
    unit: '',
    identifier: '',
    comm: '',
    pid: 0,
    priority: -1,
    message: NOTHING as Buffer,
    hasMessage: false,
    cutBytes: 0,
  };
}
