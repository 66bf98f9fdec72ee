import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join, normalize } from 'node:path';
import { pause } from '../../repeat.ts';

/** What a server does wrong with one answer. Offsets count bytes of the body, those of `corrupt` and `swap` bytes of the file. */
export type Fault =
  /** Ends the connection in the middle. */
  | { readonly kind: 'truncate'; readonly afterBytes: number }
  /** Sends no more and keeps the connection. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** One byte, then a pause, and so on. */
  | { readonly kind: 'trickle'; readonly everyMs: number }
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** Flips a bit. */
  | { readonly kind: 'corrupt'; readonly atByte: number }
  /** Exchanges two neighbouring blocks. */
  | { readonly kind: 'swap'; readonly atByte: number; readonly blockBytes: number }
  /** Sends another range than was asked for, and says so, or not. */
  | { readonly kind: 'wrong-range'; readonly shiftBytes: number; readonly admits: boolean }
  /** Knows no ranges: the whole file with 200. */
  | { readonly kind: 'no-ranges' }
  /** Fewer bytes than were asked for, said honestly: RFC 9110 allows it. */
  | { readonly kind: 'short-range'; readonly sizeBytes: number }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'no-answer' }
  /** Goes on after the end of the file, without a length. */
  | { readonly kind: 'endless' }
  | { readonly kind: 'redirect'; readonly to: string }
  /** Another file instead. */
  | { readonly kind: 'other-file'; readonly path: string }
  /** Says that the body is compressed. */
  | { readonly kind: 'encoding'; readonly encoding: string };

export interface AskedFor {
  readonly path: string;
  /** How many requests for this path came before. */
  readonly before: number;
  /** How many requests came before at all. */
  readonly total: number;
  readonly range?: { readonly first: number; readonly last: number };
}

export interface LyingServer {
  /** With a slash at its end. */
  readonly address: string;
  /** All requests so far. */
  readonly asked: readonly AskedFor[];
  /** Bytes of bodies that were handed to the network. */
  sentBytes(): number;
  /** Connections that were opened so far. */
  connections(): number;
  /** The most requests that waited for their answers at once. */
  waitingMost(): number;
  close(): Promise<void>;
}

export interface LyingServerOptions {
  /** Files by their path below the address, or the folder they are in. */
  readonly files: ReadonlyMap<string, Uint8Array> | string;
  /** The same question always has the same answer: what goes wrong is decided here, not by chance. */
  readonly fault?: (asked: AskedFor) => Fault | undefined;
  /** Of each answer. */
  readonly bytesPerSecond?: number;
}

const PIECE_BYTES = 64 * 1024;

/** openLyingServer serves files on the loopback, with faults; without any it is an honest server with ranges and ETags. */
export async function openLyingServer(options: LyingServerOptions): Promise<LyingServer> {
  const asked: AskedFor[] = [];
  const closing = new AbortController();
  let sentBytes = 0;
  const sent = (bytes: number) => {
    sentBytes += bytes;
  };
  const server = createServer((request, response) => {
    const question = questionOf(request, asked);
    asked.push(question);
    waitingMost = Math.max(waitingMost, ++waiting);
    response.once('close', () => waiting--);
    const fault = options.fault?.(question);
    answer(options, question, fault, request, response, { sent, signal: closing.signal }).catch(() =>
      response.destroy(),
    );
  });
  let connections = 0;
  let [waiting, waitingMost] = [0, 0];
  server.on('connection', () => {
    connections++;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  return {
    address: `http://127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}/`,
    asked,
    sentBytes: () => sentBytes,
    connections: () => connections,
    waitingMost: () => waitingMost,
    async close() {
      closing.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function questionOf(request: IncomingMessage, asked: readonly AskedFor[]): AskedFor {
  const path = decodeURIComponent(new URL(request.url ?? '/', 'http://server/').pathname.slice(1));
  const before = asked.filter((one) => one.path === path).length;
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  return {
    ...{ path, before, total: asked.length },
    ...(range && { range: { first: Number(range[1]), last: Number(range[2]) } }),
  };
}

interface Delivery {
  readonly sent: (bytes: number) => void;
  readonly signal: AbortSignal;
}

async function answer(
  options: LyingServerOptions,
  asked: AskedFor,
  fault: Fault | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  delivery: Delivery,
): Promise<void> {
  if (fault?.kind === 'no-answer') return;
  if (fault?.kind === 'redirect') return void response.writeHead(302, { location: fault.to }).end();
  if (fault?.kind === 'status') return void response.writeHead(fault.status).end('no\n');
  if (fault?.kind === 'delay') await pause(fault.delayMs, delivery.signal);
  const file = await readWhole(options.files, fault?.kind === 'other-file' ? fault.path : asked.path);
  if (!file) return void response.writeHead(404).end('no such file\n');
  const etag = etagOf(file);
  const ifRange = request.headers['if-range'];
  const usable = fault?.kind !== 'no-ranges' && (ifRange === undefined || ifRange === etag);
  const whole = { first: 0, last: file.length - 1 };
  const told = usable ? asked.range : undefined;
  if (told && told.first >= file.length) return void response.writeHead(416).end();
  const wanted = told ? { first: told.first, last: Math.min(told.last, file.length - 1) } : whole;
  const given = shifted(wanted, fault, file.length);
  const body = spoiled(file, fault).subarray(given.first, given.last + 1);
  const named = fault?.kind === 'wrong-range' && !fault.admits ? wanted : given;
  response.writeHead(told ? 206 : 200, {
    etag,
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    ...(fault?.kind !== 'endless' && { 'content-length': body.length }),
    ...(told && { 'content-range': `bytes ${named.first}-${named.last}/${file.length}` }),
    ...(fault?.kind === 'encoding' && { 'content-encoding': fault.encoding }),
  });
  await send(response, body, fault, options.bytesPerSecond, delivery);
}

const etags = new WeakMap<Uint8Array, string>();

function etagOf(file: Uint8Array): string {
  const known = etags.get(file);
  if (known !== undefined) return known;
  const etag = `"${createHash('sha256').update(file).digest('hex').slice(0, 32)}"`;
  etags.set(file, etag);
  return etag;
}

type Span = { readonly first: number; readonly last: number };

function shifted({ first, last }: Span, fault: Fault | undefined, fileBytes: number): Span {
  if (fault?.kind === 'short-range') return { first, last: Math.min(last, first + fault.sizeBytes - 1) };
  if (fault?.kind !== 'wrong-range') return { first, last };
  const start = Math.min(Math.max(first + fault.shiftBytes, 0), fileBytes - 1);
  return { first: start, last: Math.min(start + (last - first), fileBytes - 1) };
}

function spoiled(file: Uint8Array, fault: Fault | undefined): Uint8Array {
  if (fault?.kind === 'corrupt') {
    const copy = new Uint8Array(file); // not slice(): that of a Buffer shares its memory
    copy[fault.atByte] = (copy[fault.atByte] ?? 0) ^ 1;
    return copy;
  }
  if (fault?.kind === 'swap') {
    const { atByte, blockBytes } = fault;
    const copy = new Uint8Array(file); // not slice(): that of a Buffer shares its memory
    copy.set(file.subarray(atByte + blockBytes, atByte + 2 * blockBytes), atByte);
    copy.set(file.subarray(atByte, atByte + blockBytes), atByte + blockBytes);
    return copy;
  }
  return file;
}

async function send(
  response: ServerResponse,
  body: Uint8Array,
  fault: Fault | undefined,
  bytesPerSecond: number | undefined,
  { sent, signal }: Delivery,
): Promise<void> {
  const startMs = performance.now();
  const cut = fault?.kind === 'truncate' || fault?.kind === 'stall' ? fault.afterBytes : undefined;
  const end = Math.min(cut ?? body.length, body.length);
  const step = fault?.kind === 'trickle' ? 1 : PIECE_BYTES;
  for (let at = 0; at < end && !signal.aborted && !response.destroyed; at += step) {
    const piece = body.subarray(at, Math.min(at + step, end));
    sent(piece.length);
    if (!response.write(piece)) await drained(response);
    if (fault?.kind === 'trickle') await pause(fault.everyMs, signal);
    const earlyMs = bytesPerSecond
      ? ((at + piece.length) / bytesPerSecond) * 1000 - (performance.now() - startMs)
      : 0;
    if (earlyMs > 1) await pause(earlyMs, signal);
  }
  if (fault?.kind === 'stall') return;
  // What was written has to leave before the connection is cut.
  if (fault?.kind === 'truncate') return void setTimeout(() => response.destroy(), 20);
  while (fault?.kind === 'endless' && !signal.aborted && !response.destroyed) {
    sent(PIECE_BYTES);
    if (!response.write(Buffer.alloc(PIECE_BYTES, 0x5a))) await drained(response);
  }
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

/** A file of a test is small enough to be read whole; a path that leads out of the folder is none. */
async function readWhole(files: LyingServerOptions['files'], path: string): Promise<Uint8Array | undefined> {
  if (typeof files !== 'string') return files.get(path);
  const inside = normalize(path);
  if (inside.startsWith('..') || inside.startsWith('/')) return undefined;
  const cached = folderCache.get(`${files}\0${inside}`);
  if (cached) return cached;
  const file = await open(join(files, inside)).catch(() => undefined);
  if (!file) return undefined;
  try {
    const bytes = await file.readFile();
    // Releases are not written twice under one name; metadata is.
    if (inside.startsWith('targets/')) folderCache.set(`${files}\0${inside}`, bytes);
    return bytes;
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

const folderCache = new Map<string, Uint8Array>();
