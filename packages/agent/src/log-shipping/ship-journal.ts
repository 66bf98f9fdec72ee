import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { type LogShipping, logPriorities } from '@plinth/config';
import { JOURNALCTL } from '../kubernetes/units/run-unit.ts';
import type { LogRecord } from '../logs/entry-writer.ts';
import { JOURNAL_FIELDS, JournalExport } from '../logs/journal-export.ts';
import { pause } from '../repeat.ts';
import type { Sys } from '../sys/sys.ts';
import { syslogFrame } from './write-syslog.ts';

const CONNECT_LIMIT_MS = 10_000;
/** A server that takes nothing for so long is taken for dead. */
const DRAIN_LIMIT_MS = 60_000;

/** The time of the last entry that was handed over, microseconds since 1970 as the journal counts them. */
export type Position = string;

export interface ShipParts {
  readonly sys: Pick<Sys, 'stream'>;
  readonly target: LogShipping;
  readonly hostName: string;
  /** Where to go on; undefined: at the beginning of this boot. */
  readonly from: Position | undefined;
  readonly signal: AbortSignal;
  onConnected(): void;
  /** Called after the entries up to there were taken by the connection. */
  onShipped(position: Position, entries: number): void;
}

/**
 * shipJournal follows the journal and sends it, as fast as the server takes it, until the signal aborts. Holds one piece
 * of the journal's output at a time. Throws what ends the connection or the journal.
 */
export async function shipJournal(parts: ShipParts): Promise<void> {
  const { sys, target, hostName, from, signal } = parts;
  const broken = new AbortController();
  const either = AbortSignal.any([signal, broken.signal]);
  const socket = await open(target, either);
  let failure: Error | undefined;
  const fail = (error: Error) => {
    failure ??= error;
    broken.abort();
  };
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the server closed the connection')));
  // Nobody answers in syslog; what comes is dropped, or the end of the connection would not be seen.
  socket.resume();
  try {
    parts.onConnected();
    const records: LogRecord[] = [];
    const journal = new JournalExport((record) => records.push(record));
    for await (const piece of sys.stream(JOURNALCTL, journalArgs(target, from), either)) {
      journal.push(piece);
      const last = records.at(-1);
      if (!last) continue;
      const frames = Buffer.concat(records.map((record) => syslogFrame(record, hostName)));
      const count = records.splice(0).length;
      await write(socket, frames, either);
      if (either.aborted) break;
      parts.onShipped(positionOf(last), count);
    }
    if (signal.aborted) return;
    throw failure ?? new Error('journalctl ended while it was followed');
  } finally {
    socket.removeAllListeners('close');
    socket.destroy();
  }
}

/** journalArgs follows what the target wants of the journal, from a position on. */
export function journalArgs(
  { priority }: Pick<LogShipping, 'priority'>,
  from: Position | undefined,
): readonly string[] {
  return [
    ...['--quiet', '--no-pager', '--output=export', `--output-fields=${JOURNAL_FIELDS.join(',')}`],
    ...['--follow', '--lines=all', `--priority=0..${logPriorities.indexOf(priority)}`],
    from === undefined ? '--boot' : `--since=@${from.slice(0, -6)}.${from.slice(-6)}`,
  ];
}

/** The journal gives the last entry again: another of the very same time may not have been read. */
function positionOf({ seconds, nanos }: LogRecord): Position {
  return String(BigInt(seconds) * 1_000_000n + BigInt(Math.floor(nanos / 1000))).padStart(7, '0');
}

async function open(
  { server, port, certificateAuthority }: LogShipping,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const socket = connect({
    host: server,
    port,
    ca: certificateAuthority,
    minVersion: 'TLSv1.2',
    ...(/^[\d.]+$|:/.test(server) ? {} : { servername: server }),
  });
  socket.setKeepAlive(true, 30_000);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_LIMIT_MS)]);
  try {
    await once(socket, 'secureConnect', { signal: limit });
    return socket;
  } catch (reason) {
    // The error of a connection that is given up late has no other listener.
    socket.on('error', () => {});
    socket.destroy();
    if (limit.aborted && !signal.aborted) throw new Error(`no connection after ${CONNECT_LIMIT_MS / 1000} s`);
    throw reason;
  }
}

/** Ends when the connection has taken all of it, or when the signal aborts. */
async function write(socket: TLSSocket, bytes: Buffer, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  const taken = new Promise<void>((resolve) => {
    socket.write(bytes, () => resolve());
    signal.addEventListener('abort', () => resolve(), { once: true, signal: done.signal });
  });
  const late = pause(DRAIN_LIMIT_MS, done.signal).then(() => {
    if (!done.signal.aborted)
      socket.destroy(new Error(`the server took nothing for ${DRAIN_LIMIT_MS / 1000} s`));
  });
  await taken;
  done.abort();
  await late;
}
