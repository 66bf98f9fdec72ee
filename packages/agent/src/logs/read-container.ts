import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import type { ReadLogsRequest, ReadLogsResponse } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { errorCode } from '../sys/sys.ts';
import {
  type FoundLog,
  findContainerLog,
  type LogFile,
  logFiles,
  nothingThere,
  openLog,
  POD_LOGS,
  runsIn,
} from './container-files.ts';
import { ContainerLines } from './container-lines.ts';
import { EntryWriter, type LogRecord } from './entry-writer.ts';
import { HeldRecords } from './held-records.ts';
import { checkGrep, checkLines, invalid } from './journal-arguments.ts';
import { tailStart } from './tail-start.ts';

const PIECE_BYTES = 64 * 1024;
const POLL_MS = 250;

export interface ContainerLogOptions {
  readonly root?: string;
  readonly pollMs?: number;
}

/**
 * readContainer gives the log of a container as answers of LogsService, through the files that were put aside when they
 * were full. Followed, it goes on into the next file and the next run of the container, and ends when the pod is removed.
 * @throws logs/request-invalid, logs/container-missing, logs/unreadable, logs/busy
 */
export async function* readContainer(
  request: ReadLogsRequest,
  signal: AbortSignal,
  { root = POD_LOGS, pollMs = POLL_MS }: ContainerLogOptions = {},
): AsyncGenerator<ReadLogsResponse> {
  const { source, lines, boot, priority, follow, until } = request;
  if (source.case !== 'container') throw invalid('source', 'no container', 'one');
  if (boot !== undefined || priority !== undefined)
    throw invalid('boot or priority', 'given for a container', 'a unit: logs of containers have neither');
  if (follow && until) throw invalid('until', 'a time to end at while it is followed', 'one of the two');
  checkLines(lines);
  checkGrep(request.grep);
  // The last lines that match can be told only at the end of what is there.
  const held = lines !== undefined && (request.grep !== '' || until) ? new HeldRecords(lines) : undefined;
  try {
    const found = await findContainerLog(source.value, root);
    yield* sendLog(request, found, signal, pollMs, held);
  } catch (reason) {
    if (reason instanceof PlinthError) throw reason;
    throw new PlinthError(
      'logs/unreadable',
      `Cannot read the log of ${source.value.namespace}/${source.value.pod}: ${errorCode(reason) || 'its files are damaged'}, expected it whole`,
    );
  } finally {
    held?.release();
  }
}

async function* sendLog(
  request: ReadLogsRequest,
  found: FoundLog,
  signal: AbortSignal,
  pollMs: number,
  held: HeldRecords | undefined,
): AsyncGenerator<ReadLogsResponse> {
  const { lines, follow } = request;
  const writer = new EntryWriter();
  const full: ReadLogsResponse[] = [];
  const wanted = wants(request);
  let holding = held !== undefined;
  const send = (record: LogRecord) => {
    writer.add(record);
    const answer = writer.full ? writer.take() : undefined;
    if (answer) full.push(answer);
  };
  const log = new ContainerLines(found.container, (record) => {
    if (!wanted(record)) return;
    if (holding) held?.addLast(record);
    else send(record);
  });
  function* sendHeld() {
    for (const record of held?.take('first') ?? []) {
      send(record);
      yield* full.splice(0);
    }
  }
  const { files, offsetBytes } = await tailStart(found.files, held ? undefined : lines);
  const current = files.at(-1);
  for (const [index, file] of files.entries()) {
    if (file === current && follow) break;
    for await (const piece of piecesOf(file, index === 0 ? offsetBytes : 0, signal)) {
      log.push(piece);
      yield* full.splice(0);
    }
  }
  const growing =
    follow && current ? followFrom(found, current, files.length === 1 ? offsetBytes : 0, signal, pollMs) : [];
  for await (const piece of growing) {
    if (piece) log.push(piece);
    else if (holding) {
      holding = false;
      yield* sendHeld();
    }
    yield* full.splice(0);
    const answer = writer.take();
    if (answer) yield answer;
  }
  if (holding) yield* sendHeld();
  const last = writer.take();
  if (last) yield last;
}

/** Pieces of a file that grows; undefined each time there is nothing more for now. */
async function* followFrom(
  { folder, run: firstRun }: FoundLog,
  first: LogFile,
  firstOffsetBytes: number,
  signal: AbortSignal,
  pollMs: number,
): AsyncGenerator<Buffer | undefined> {
  let run = firstRun;
  let file: FileHandle | undefined = await openLog(first.path);
  let offsetBytes = firstOffsetBytes;
  try {
    while (!signal.aborted) {
      // Whether another file took its name is looked at first: what was written before that is then read below.
      const isReplaced = file === undefined || (await replaced(file, folder, run));
      for (; file !== undefined; ) {
        const piece = await readPiece(file, offsetBytes);
        if (piece.length === 0) break;
        offsetBytes += piece.length;
        yield piece;
        if (signal.aborted) return;
      }
      yield undefined;
      if (isReplaced) {
        const runs = await runsIn(folder);
        if (runs.length === 0) return;
        run = runs.find((each) => each > run) ?? run;
        const next: LogFile | undefined = (await logFiles(folder, run)).at(-1);
        await file?.close();
        file = next && !next.compressed ? await openLog(next.path).catch(nothingThere) : undefined;
        offsetBytes = 0;
        if (file) continue;
      }
      await sleep(pollMs, undefined, { signal }).catch(() => {});
    }
  } finally {
    await file?.close();
  }
}

/** Whether a newer file follows this one: it was put aside, or the container began anew. */
async function replaced(file: FileHandle, folder: string, run: number): Promise<boolean> {
  const runs = await runsIn(folder);
  if ((runs.at(-1) ?? run) > run) return true;
  const current = (await logFiles(folder, run)).at(-1);
  if (!current) return true;
  const there = await openLog(current.path).catch(nothingThere);
  if (!there) return true;
  try {
    const [one, other] = await Promise.all([file.stat(), there.stat()]);
    return one.ino !== other.ino || one.dev !== other.dev;
  } finally {
    await there.close();
  }
}

async function* piecesOf(
  { path, compressed }: LogFile,
  fromBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const file = await openLog(path).catch(nothingThere);
  if (!file) return; // put aside or removed since its name was read
  try {
    const stored = storedPieces(file, fromBytes, signal);
    if (!compressed) yield* stored;
    // A pipeline, for it hands on what fails on either side: an error without a listener would end the process.
    else for await (const piece of pipeline(stored, createGunzip(), () => {})) yield piece as Buffer;
  } catch (reason) {
    // Cut off by its reader, a compressed file ends in its middle.
    if (!signal.aborted) throw reason;
  } finally {
    await file.close();
  }
}

async function* storedPieces(
  file: FileHandle,
  fromBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  for (let offsetBytes = fromBytes; !signal.aborted; ) {
    const piece = await readPiece(file, offsetBytes);
    if (piece.length === 0) return;
    offsetBytes += piece.length;
    yield piece;
  }
}

async function readPiece(file: FileHandle, offsetBytes: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES, offsetBytes);
  return buffer.subarray(0, bytesRead);
}

/** What a request leaves of a log. */
function wants({ since, until, grep }: ReadLogsRequest): (record: LogRecord) => boolean {
  const insensitive = grep === grep.toLowerCase();
  return (record) => {
    if (since && compare(record, since) < 0) return false;
    if (until && compare(record, until) > 0) return false;
    if (grep === '') return true;
    if (!insensitive) return record.message.includes(grep);
    return record.message.toString('utf8').toLowerCase().includes(grep);
  };
}

function compare(record: LogRecord, time: Timestamp): number {
  return record.seconds - Number(time.seconds) || record.nanos - time.nanos;
}
