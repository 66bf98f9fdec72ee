import { type LogRecord, MESSAGE_LIMIT_BYTES } from './entry-writer.ts';

const NEWLINE = 0x0a;
const SPACE = 0x20;
/** A runtime cuts lines at 16 KiB; what is longer was not written by one, and its end is dropped. */
const LINE_LIMIT_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);
/** RFC 3339 with up to nine digits of a second. */
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

interface Pending {
  readonly chunks: Buffer[];
  sizeBytes: number;
  cutBytes: number;
}

/**
 * ContainerLines reads a log in the format that container runtimes write for the kubelet ("TIME STREAM TAGS CONTENT", one
 * line each), as it comes, in pieces of any size. A line with the tag P goes on in the next one of its stream. A line that
 * is none of these is passed on whole: what a log holds is shown, not judged.
 */
export class ContainerLines {
  readonly #name: string;
  readonly #onRecord: (record: LogRecord) => void;
  readonly #pending: Record<'stdout' | 'stderr', Pending> = {
    stdout: emptyPending(),
    stderr: emptyPending(),
  };
  #rest: Buffer = NOTHING;
  #dropping = false;
  #seconds = 0;
  #nanos = 0;
  #lastDate = '';
  #lastSeconds = 0;

  constructor(name: string, onRecord: (record: LogRecord) => void) {
    this.#name = name;
    this.#onRecord = onRecord;
  }

  push(piece: Buffer): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let at = 0;
    for (;;) {
      const newline = bytes.indexOf(NEWLINE, at);
      if (newline < 0) break;
      if (this.#dropping) this.#dropping = false;
      else this.#line(bytes.subarray(at, newline));
      at = newline + 1;
    }
    const left = bytes.subarray(at);
    if (left.length > LINE_LIMIT_BYTES && !this.#dropping) {
      this.#line(left.subarray(0, LINE_LIMIT_BYTES));
      this.#dropping = true;
    }
    this.#rest = this.#dropping ? NOTHING : Buffer.from(left);
  }

  #line(line: Buffer): void {
    const timeEnd = line.indexOf(SPACE);
    const streamEnd = timeEnd < 0 ? -1 : line.indexOf(SPACE, timeEnd + 1);
    const stream = line.toString('latin1', timeEnd + 1, Math.max(streamEnd, 0));
    const known = stream === 'stdout' || stream === 'stderr';
    if (!known || !this.#time(line.toString('latin1', 0, timeEnd))) {
      this.#record(
        line.subarray(0, MESSAGE_LIMIT_BYTES),
        false,
        Math.max(line.length - MESSAGE_LIMIT_BYTES, 0),
      );
      return;
    }
    const tagsEnd = line.indexOf(SPACE, streamEnd + 1);
    const tags = line.toString('latin1', streamEnd + 1, tagsEnd < 0 ? line.length : tagsEnd);
    const pending = this.#pending[stream];
    add(pending, tagsEnd < 0 ? NOTHING : line.subarray(tagsEnd + 1));
    if (tags.split(':')[0] === 'P') return;
    this.#pending[stream] = emptyPending();
    this.#record(Buffer.concat(pending.chunks), stream === 'stderr', pending.cutBytes);
  }

  #record(message: Buffer, stderr: boolean, cutBytes: number): void {
    this.#onRecord({
      seconds: this.#seconds,
      nanos: this.#nanos,
      unit: '',
      identifier: this.#name,
      pid: 0,
      priority: -1,
      message,
      stderr,
      cutBytes,
    });
  }

  /** Most lines share their second with the one before, so the date is parsed once for each. */
  #time(text: string): boolean {
    const [, date = '', fraction = '', zone = ''] = TIME.exec(text) ?? [];
    if (date === '') return false;
    if (this.#lastDate !== date + zone) {
      const ms = Date.parse(date + zone);
      if (Number.isNaN(ms) || ms < 0) return false;
      this.#lastDate = date + zone;
      this.#lastSeconds = ms / 1000;
    }
    this.#seconds = this.#lastSeconds;
    this.#nanos = fraction === '' ? 0 : Number(fraction.padEnd(9, '0'));
    return true;
  }
}

function add(pending: Pending, content: Buffer): void {
  const room = MESSAGE_LIMIT_BYTES - pending.sizeBytes;
  const kept = content.subarray(0, Math.max(room, 0));
  if (kept.length > 0) pending.chunks.push(Buffer.from(kept));
  pending.sizeBytes += kept.length;
  pending.cutBytes += content.length - kept.length;
}

function emptyPending(): Pending {
  return { chunks: [], sizeBytes: 0, cutBytes: 0 };
}
