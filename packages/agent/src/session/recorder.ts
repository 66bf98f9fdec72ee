import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { constants, open, stat } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { isMissing } from '../sys/sys.ts';
import type { TerminalState } from './session-state.ts';

/** Kinds of events of asciicast version 2: what was shown, typed, and the size of the terminal. */
type EventKind = 'o' | 'i' | 'r';

/** Writes what happens at a terminal. */
export interface Recorder {
  /** Fulfilled when it is written. Rejects when it cannot be, and with a RecordingFull when there is too much of it. */
  shown(bytes: Uint8Array): Promise<void>;
  typed(bytes: Uint8Array): Promise<void>;
  resized(columns: number, rows: number): Promise<void>;
  /** No more is written; what was begun is. Never rejects. */
  close(): Promise<void>;
}

/** A recording that is complete. */
export interface Recording {
  readonly sizeBytes: number;
  readonly sha256: string;
}

export class RecordingFull extends Error {
  constructor() {
    super('its recording is full');
    this.name = 'RecordingFull';
  }
}

/** Largest recording. */
export const RECORDING_LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * openRecorder begins a recording as asciicast version 2, which players know: a line with the size of the terminal, then a line
 * for each event with its time in seconds. Each event is written before its promise is fulfilled. Throws system errors.
 */
export async function openRecorder(
  path: string,
  given: { readonly terminal: TerminalState; readonly title: string; readonly startedAtMs: number },
  limitBytes: number = RECORDING_LIMIT_BYTES,
): Promise<Recorder> {
  const { terminal, title, startedAtMs } = given;
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  const startedMs = performance.now();
  // A character may come in two pieces.
  const decoders = { o: new StringDecoder('utf8'), i: new StringDecoder('utf8') };
  let sizeBytes = 0;
  let last: Promise<void> = Promise.resolve();
  let closed = false;

  const line = (value: unknown): Promise<void> => {
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    const mine = last.then(async () => {
      if (closed) throw new Error('the recording is closed');
      if (sizeBytes + bytes.length > limitBytes) throw new RecordingFull();
      await file.writeFile(bytes);
      sizeBytes += bytes.length;
    });
    last = mine.catch(() => {});
    return mine;
  };
  const event = (kind: EventKind, text: string): Promise<void> =>
    text === '' ? Promise.resolve() : line([Math.round(performance.now() - startedMs) / 1000, kind, text]);

  await line({
    version: 2,
    ...{ width: terminal.columns, height: terminal.rows, timestamp: Math.floor(startedAtMs / 1000) },
    ...{ title, env: { TERM: terminal.kind } },
  });
  return {
    shown: (bytes) => event('o', decoders.o.write(Buffer.from(bytes))),
    typed: (bytes) => event('i', decoders.i.write(Buffer.from(bytes))),
    resized: (columns, rows) => event('r', `${columns}x${rows}`),
    async close() {
      await last;
      closed = true;
      await file.close().catch(() => {});
    },
  };
}

/** recordingOf looks at a recording as it lies there; empty when there is none. */
export async function recordingOf(path: string): Promise<Recording> {
  try {
    const { size } = await stat(path);
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path)) hash.update(chunk);
    return { sizeBytes: size, sha256: hash.digest('hex') };
  } catch (reason) {
    if (isMissing(reason)) return { sizeBytes: 0, sha256: '' };
    throw reason;
  }
}
