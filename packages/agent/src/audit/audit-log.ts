import { AUDIT_ORIGIN, auditLineHash } from '@plinth/api';
import { messageOf } from '@plinth/base';
import { errorCode } from '../sys/sys.ts';
import { type AuditFiles, fileName, firstSequence } from './audit-files.ts';
import { readFileLines, readFrom } from './read-audit.ts';

/** What the log may take. */
export interface AuditLimits {
  /** A file above this is followed by a new one. */
  readonly fileBytes: number;
  /** All files together: then the oldest goes. */
  readonly totalBytes: number;
  /** Records that wait while nothing can be written. */
  readonly waiting: number;
  /** How long after a failed write the next one is tried. */
  readonly retryMs: number;
}

export interface AuditLogOptions {
  readonly files: AuditFiles;
  readonly limits: AuditLimits;
  readonly nowMs: () => number;
  /** Why the log is lost at reboot; undefined when it is kept. */
  readonly volatileBecause?: string | undefined;
  /** What is written when the log is opened: which boot, which plinthd. */
  readonly opened: Readonly<Record<string, unknown>>;
}

export interface AuditHead {
  readonly sequence: number;
  readonly hash: string;
  readonly firstSequence: number;
  readonly sizeBytes: number;
}

/** The audit log of a node. */
export interface AuditLog {
  /** Writes a record as the next line; fulfilled when it is durable, or known not to become so now. Never rejects. */
  write(record: object): Promise<void>;
  head(): Promise<AuditHead>;
  /** Lines from a number on, many at a time; with `follow` also those to come, until the signal aborts. */
  read(from: number, follow: boolean, signal: AbortSignal): AsyncGenerator<readonly string[]>;
  /** What is wrong; undefined when nothing is. */
  concern(): string | undefined;
}

interface Pending {
  readonly record: object;
  readonly done: () => void;
}

const BATCH_LIMIT = 256;
const BATCH_BYTES = 32 * 1024;

/**
 * openAuditLog opens a log whose every line carries the number after, and the hash of, the line before it. Lines are written
 * in batches, each durable before its records count as written: a power cut loses those that were not fulfilled yet, and may
 * leave a part of a line, after which a new file is begun. While nothing can be written records wait, a bounded number; how
 * many were lost is itself recorded. The oldest file goes when the log is full, after a record of it.
 */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { files, limits, nowMs } = options;
  let pending: readonly Pending[] = [];
  let lost = 0;
  let failure: string | undefined;
  let end = await findEnd(files).catch((reason: unknown) => {
    failure = textOf(reason);
    return NOTHING;
  });
  /** Whether the files could be read: as long as not, nothing of this process is in them. */
  let endKnown = failure === undefined;
  let failedAtMs = Number.NEGATIVE_INFINITY;
  let flushing = false;
  /** What all files take; undefined where they have to be looked at. */
  let keptBytes: number | undefined;
  let written: (() => void)[] = [];

  /** Appends records as lines; the end of the log moves only with what is durable. */
  const append = async (records: readonly object[]) => {
    let { sequence, hash } = end;
    const lines = records.map((record) => {
      const line = JSON.stringify({ seq: ++sequence, prev: hash, ...record });
      hash = auditLineHash(line);
      return line;
    });
    const data = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    const full = end.fileBytes > 0 && end.fileBytes + data.length > limits.fileBytes;
    const file = full || end.torn || end.file === '' ? fileName(end.sequence + 1) : end.file;
    await files.append(file, data);
    // A new file is a time to look whether the others are as they were.
    keptBytes = file === end.file && keptBytes !== undefined ? keptBytes + data.length : undefined;
    end = {
      ...{ sequence, hash, file, torn: false },
      fileBytes: (file === end.file ? end.fileBytes : 0) + data.length,
    };
  };

  /** Drops the oldest files when the log is full; says so first, so that the begin of what is left can be judged. */
  const makeRoom = async () => {
    if (keptBytes !== undefined && keptBytes <= limits.totalBytes) return;
    const all = await files.list();
    keptBytes = all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    let excess = keptBytes - limits.totalBytes;
    const going: string[] = [];
    for (const { name, sizeBytes } of all.slice(0, -1)) {
      if (excess <= 0) break;
      going.push(name);
      excess -= sizeBytes;
    }
    const next = all[going.length];
    if (going.length === 0 || !next) return;
    await append([{ time: time(nowMs()), event: 'audit.dropped', upTo: firstSequence(next.name) - 1 }]);
    for (const name of going) await files.remove(name);
    keptBytes = undefined;
  };

  const flush = async () => {
    if (flushing) return;
    flushing = true;
    while (pending.length > 0) {
      const waitedMs = nowMs() - failedAtMs;
      // A clock that was set back says nothing about how long it waited.
      if (waitedMs >= 0 && waitedMs < limits.retryMs) {
        settle(pending);
        break;
      }
      const batch = pending.slice(0, BATCH_LIMIT);
      try {
        if (failure !== undefined) {
          const found = await findEnd(files);
          // Some lines of the failed batch may have been written whole.
          const wholeLines = endKnown ? found.sequence - end.sequence : 0;
          settle(pending.slice(0, wholeLines));
          pending = pending.slice(wholeLines);
          [end, endKnown] = [found, true];
          if (lost > 0)
            await append([{ time: time(nowMs()), event: 'audit.lost', count: lost, reason: failure }]);
          lost = 0;
          failure = undefined;
          continue;
        }
        await append(batch.map(({ record }) => record));
        pending = pending.slice(batch.length);
        settle(batch);
        await makeRoom();
      } catch (reason) {
        keptBytes = undefined;
        failure = textOf(reason);
        failedAtMs = nowMs();
      }
    }
    flushing = false;
  };

  const settle = (batch: readonly Pending[]) => {
    for (const { done } of batch) done();
    const waiting = written;
    written = [];
    for (const tell of waiting) tell();
  };

  const write = (record: object): Promise<void> => {
    if (pending.length >= limits.waiting) {
      lost++;
      void flush(); // the disk may have room again
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      pending = [...pending, { record, done: resolve }];
      void flush();
    });
  };

  const nextWrite = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake);
        resolve();
      };
      signal.addEventListener('abort', wake, { once: true });
      written.push(wake);
    });

  await write({
    ...{ time: time(nowMs()), event: 'audit.opened', ...options.opened },
    ...(end.torn && { torn: 'the last line was not whole: power was cut, or the file was changed' }),
    ...(options.volatileBecause !== undefined && { volatile: options.volatileBecause }),
  });

  return {
    write,
    concern: () =>
      failure === undefined
        ? options.volatileBecause
        : `records cannot be written: ${failure}; ${pending.length} wait, ${lost} are lost`,
    async head() {
      const all = await files.list();
      const [oldest] = all;
      return {
        ...{ sequence: end.sequence, hash: end.hash },
        firstSequence: oldest ? firstSequence(oldest.name) : 0,
        sizeBytes: all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      };
    },
    async *read(from, follow, signal) {
      let next = from;
      for (;;) {
        const upTo = end.sequence;
        const more = nextWrite(signal);
        let batch: string[] = [];
        let batchBytes = 0;
        for await (const { sequence, line } of next <= upTo ? readFrom(files, next) : []) {
          // What is being written just now is not durable yet.
          if (signal.aborted || sequence > upTo) break;
          next = sequence + 1;
          batch.push(line);
          batchBytes += line.length;
          if (batchBytes < BATCH_BYTES) continue;
          yield batch;
          batch = [];
          batchBytes = 0;
        }
        if (batch.length > 0) yield batch;
        if (!follow) return;
        if (end.sequence === upTo) await more;
        if (signal.aborted) return;
      }
    },
  };
}

interface End {
  readonly sequence: number;
  readonly hash: string;
  /** The file that lines are added to; "" before the first. */
  readonly file: string;
  readonly fileBytes: number;
  /** Whether the file ends in the middle of a line. */
  readonly torn: boolean;
}

const NOTHING: End = { sequence: 0, hash: AUDIT_ORIGIN, file: '', fileBytes: 0, torn: false };

/** Where the log ends: number and hash of its last whole line. */
async function findEnd(files: AuditFiles): Promise<End> {
  const last = (await files.list()).at(-1);
  if (!last) return NOTHING;
  let sequence = firstSequence(last.name) - 1;
  let lastLine: string | undefined;
  let wholeBytes = 0;
  for await (const line of readFileLines(files, last.name)) {
    sequence++;
    lastLine = line;
    wholeBytes += Buffer.byteLength(line) + 1;
  }
  const torn = wholeBytes !== last.sizeBytes;
  // A file without one whole line: its number is taken again by the next file, so it has to go.
  if (lastLine === undefined) {
    await files.remove(last.name);
    return { ...(await findEnd(files)), torn: last.sizeBytes > 0 };
  }
  return { sequence, hash: auditLineHash(lastLine), file: last.name, fileBytes: last.sizeBytes, torn };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

function textOf(reason: unknown): string {
  return errorCode(reason) || messageOf(reason);
}
