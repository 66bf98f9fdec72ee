import { PlinthError } from '@plinth/base';
import type { LogRecord } from './entry-writer.ts';

/** What readers hold of logs. */
export interface HeldLimits {
  readonly ownBytes: number;
  /** All of them together: plinthd has 96 MB for everything. */
  readonly totalBytes: number;
}

const LIMITS: HeldLimits = { ownBytes: 8 * 1024 * 1024, totalBytes: 24 * 1024 * 1024 };
/** What a record takes beside its message. */
const RECORD_BYTES = 512;

let totalBytes = 0;

/**
 * HeldRecords keeps records of a log that can be sent only when more of it is known: copies, as many as were asked for and
 * as fit into memory. What it holds counts until it is taken or released.
 */
export class HeldRecords {
  readonly #records: LogRecord[] = [];
  readonly #most: number;
  readonly #limits: HeldLimits;
  #sizeBytes = 0;

  /** @param most how many are wanted */
  constructor(most: number, limits: HeldLimits = LIMITS) {
    this.#most = most;
    this.#limits = limits;
  }

  /** Whether no more is wanted, or fits. */
  get full(): boolean {
    return this.#records.length >= this.#most || this.#sizeBytes > this.#limits.ownBytes;
  }

  /** Adds one at the end. @throws logs/busy when all readers together hold too much */
  add(record: LogRecord): void {
    const sizeBytes = sizeOf(record);
    if (totalBytes + sizeBytes > this.#limits.totalBytes)
      throw new PlinthError(
        'logs/busy',
        `Cannot look for the last entries: other clients have ${Math.round(totalBytes / 1024)} KiB of logs looked through, expected fewer at a time`,
        { retryable: true },
      );
    this.#count(sizeBytes);
    this.#records.push({ ...record, message: Buffer.from(record.message) });
  }

  /** Adds one at the end; the oldest make room for it. @throws logs/busy as `add` does */
  addLast(record: LogRecord): void {
    if (this.#most === 0) return;
    while (this.full) this.#drop(this.#records.shift());
    this.add(record);
  }

  /** Gives the records, from the first or from the last on, and holds each no longer. */
  *take(from: 'first' | 'last'): Generator<LogRecord> {
    if (from === 'first') this.#records.reverse();
    for (let record = this.#records.pop(); record; record = this.#records.pop()) {
      this.#drop(record);
      yield record;
    }
  }

  /** Holds nothing any more; to be called in any case. */
  release(): void {
    this.#records.length = 0;
    this.#count(-this.#sizeBytes);
  }

  #drop(record: LogRecord | undefined): void {
    if (record) this.#count(-sizeOf(record));
  }

  #count(bytes: number): void {
    this.#sizeBytes += bytes;
    totalBytes += bytes;
  }
}

function sizeOf({ message }: LogRecord): number {
  return message.length + RECORD_BYTES;
}
