import { mkdir, open, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlinthError } from '@plinth/base';
import { hashFile, ioError } from './files.ts';
import { isErrno } from './process.ts';

export interface DownloadOptions {
  /** What the file must be. Without a digest nothing half-fetched is ever resumed. */
  readonly sha256?: string;
  readonly sizeBytes?: number;
  /** Bound on what is accepted when the size is not known; default 64 MiB. */
  readonly limitBytes?: number;
  /** How often to try in all; default 4, with growing pauses. */
  readonly attempts?: number;
  /** Give an attempt up when nothing arrives for this long; default 30 s. */
  readonly stallMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes present so far, resumed ones included. */
  readonly onBytes?: (receivedBytes: number) => void;
}

/** What a server said of a file that it gave, for asking it later whether there is another (RFC 9110, section 8.8). */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

/** A download that is given up when the server still has what is kept. */
interface ConditionalDownload extends DownloadOptions {
  readonly kept?: Validators | undefined;
  /** Told what the server says of the file that it gives. */
  readonly onValidators?: (validators: Validators) => void;
}

class NotModified extends Error {}

const DEFAULT_LIMIT_BYTES = 64 * 1024 * 1024;
const FIRST_PAUSE_MS = 250;

/**
 * download fetches a file over HTTP(S) to `path`, whole and verified or not at all. What has arrived waits in
 * `<path>.part` and the next call resumes it by a Range request (RFC 9110, section 14).
 * @throws host/download-missing (404, 410), host/download-failed, host/digest-mismatch, host/disk-full, cli/interrupted
 */
export async function download(url: string, path: string, options: DownloadOptions = {}): Promise<void> {
  await downloadWhole(url, path, options);
}

/**
 * downloadIfChanged fetches a file like download, unless the server says that it still is what was fetched before; then nothing
 * is written and undefined comes back. The file is dated as the server dates it.
 * @param kept what the call that fetched it gave back
 * @throws as download
 */
export async function downloadIfChanged(
  url: string,
  path: string,
  kept: Validators | undefined,
  options: Pick<DownloadOptions, 'limitBytes' | 'attempts' | 'stallMs' | 'signal'> = {},
): Promise<Validators | undefined> {
  let validators: Validators = {};
  const onValidators = (told: Validators) => {
    validators = told;
  };
  try {
    await downloadWhole(url, path, { ...options, kept, onValidators });
  } catch (reason) {
    if (reason instanceof NotModified) return undefined;
    throw reason;
  }
  const dated = new Date(validators.lastModified ?? Number.NaN);
  if (!Number.isNaN(dated.getTime())) await utimes(path, dated, dated);
  return validators;
}

async function downloadWhole(url: string, path: string, options: ConditionalDownload): Promise<void> {
  const part = `${path}.part`;
  const attempts = options.attempts ?? 4;
  await mkdir(dirname(path), { recursive: true });
  for (let attempt = 1; ; attempt++) {
    try {
      const resumed = await fetchInto(part, url, options);
      await verify(part, url, resumed, options);
      await rename(part, path);
      return;
    } catch (reason) {
      if (options.signal?.aborted) throw interrupted(url);
      if (reason instanceof NotModified) throw reason;
      const error = toDownloadError(reason, url);
      if (!error.retryable || attempt >= attempts) throw error;
    }
    await sleep(FIRST_PAUSE_MS * 4 ** (attempt - 1), undefined, { signal: options.signal }).catch(() => {
      throw interrupted(url);
    });
  }
}

/** Appends what is missing to the part file; tells whether earlier bytes were kept. */
async function fetchInto(part: string, url: string, options: ConditionalDownload): Promise<boolean> {
  const limitBytes = options.sizeBytes ?? options.limitBytes ?? DEFAULT_LIMIT_BYTES;
  let offsetBytes = options.sha256 === undefined ? 0 : await sizeOf(part);
  if (offsetBytes > limitBytes) offsetBytes = 0;
  if (offsetBytes > 0 && offsetBytes === options.sizeBytes) return true;

  const stall = new AbortController();
  const timer = setTimeout(
    () => stall.abort(new Error('nothing arrived in time')),
    options.stallMs ?? 30_000,
  );
  const signals = [stall.signal, ...(options.signal ? [options.signal] : [])];
  try {
    const { target, headers } = splitCredentials(url);
    if (offsetBytes > 0) headers.set('Range', `bytes=${offsetBytes}-`);
    // A compressed transfer would make offsets and sizes mean something else.
    headers.set('Accept-Encoding', 'identity');
    const { etag, lastModified } = options.kept ?? {};
    if (etag !== undefined) headers.set('If-None-Match', etag);
    if (lastModified !== undefined) headers.set('If-Modified-Since', lastModified);
    const response = await fetch(target, { headers, signal: AbortSignal.any(signals) });
    const resumed = response.status === 206 && startsAt(response, offsetBytes);
    if (!resumed && response.status !== 200) {
      await response.body?.cancel();
      if (response.status === 304 && options.kept) throw new NotModified();
      // 416 or a range nobody asked for: the part does not fit this file, so start over.
      if (response.status === 416 || response.status === 206) await rm(part, { force: true });
      throw statusError(response.status, url);
    }
    options.onValidators?.(validatorsOf(response));
    let receivedBytes = resumed ? offsetBytes : 0;
    const announced = response.headers.get('Content-Length');
    const totalBytes = receivedBytes + Number(announced);
    if (announced !== null && options.sizeBytes !== undefined && totalBytes !== options.sizeBytes) {
      await response.body?.cancel();
      if (resumed) await rm(part, { force: true });
      throw mismatch(url, `${totalBytes} bytes`, String(options.sizeBytes), resumed);
    }
    const file = await open(part, resumed ? 'a' : 'w');
    try {
      for await (const chunk of response.body ?? []) {
        timer.refresh();
        receivedBytes += chunk.length;
        if (receivedBytes > limitBytes) throw mismatch(url, `more than ${limitBytes} bytes`, 'at most that');
        await file.writeFile(chunk);
        options.onBytes?.(receivedBytes);
      }
    } finally {
      await file.close();
    }
    return resumed;
  } finally {
    clearTimeout(timer);
  }
}

async function verify(part: string, url: string, resumed: boolean, options: DownloadOptions): Promise<void> {
  const sizeBytes = await sizeOf(part);
  if (options.sizeBytes !== undefined && sizeBytes < options.sizeBytes) {
    const state = `${sizeBytes} of ${options.sizeBytes} bytes arrived`;
    throw new PlinthError('host/download-failed', `Cannot fetch ${show(url)}: ${state}, expected all`, {
      retryable: true,
    });
  }
  if (options.sha256 === undefined) return;
  const found = await hashFile(part);
  if (found.sha256 === options.sha256) return;
  await rm(part, { force: true });
  // Bytes kept from an earlier file may be the wrong ones: worth one fresh start.
  throw mismatch(url, `SHA-256 ${found.sha256}`, options.sha256, resumed);
}

function validatorsOf({ headers }: Response): Validators {
  const [etag, lastModified] = [headers.get('ETag'), headers.get('Last-Modified')];
  return { ...(etag !== null && { etag }), ...(lastModified !== null && { lastModified }) };
}

function startsAt(response: Response, offsetBytes: number): boolean {
  return response.headers.get('Content-Range')?.startsWith(`bytes ${offsetBytes}-`) ?? false;
}

function statusError(status: number, url: string): PlinthError {
  const message = `Cannot fetch ${show(url)}: the server answered ${status}, expected 200`;
  if (status === 404 || status === 410) return new PlinthError('host/download-missing', message);
  const retryable = status >= 500 || [206, 408, 416, 429].includes(status);
  return new PlinthError('host/download-failed', message, { retryable });
}

function mismatch(url: string, found: string, expected: string, retryable = false): PlinthError {
  return new PlinthError(
    'host/digest-mismatch',
    `Cannot use ${show(url)}: it has ${found}, expected ${expected}`,
    {
      retryable,
    },
  );
}

function interrupted(url: string): PlinthError {
  return new PlinthError('cli/interrupted', `Cannot finish fetching ${show(url)}: interrupted`);
}

function toDownloadError(reason: unknown, url: string): PlinthError {
  if (reason instanceof PlinthError) return reason;
  // File errors carry the system call; what fetch throws does not.
  if (reason instanceof Error && 'syscall' in reason) return ioError(reason, `store ${show(url)}`);
  const cause = reason instanceof Error && reason.cause instanceof Error ? reason.cause : reason;
  const state = cause instanceof Error ? cause.message || cause.name : String(cause);
  return new PlinthError(
    'host/download-failed',
    `Cannot fetch ${show(url)}: ${state}, expected a whole file`,
    {
      retryable: true,
      cause: reason,
    },
  );
}

/** fetch refuses addresses with a password in them; apt settings may have one. */
function splitCredentials(url: string): { target: URL; headers: Headers } {
  const target = new URL(url);
  const headers = new Headers();
  if (target.username !== '') {
    const pair = `${decodeURIComponent(target.username)}:${decodeURIComponent(target.password)}`;
    headers.set('Authorization', `Basic ${Buffer.from(pair).toString('base64')}`);
    target.username = '';
    target.password = '';
  }
  return { target, headers };
}

/** The address without a password, for people to read. */
function show(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//');
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (reason) {
    if (isErrno(reason, 'ENOENT')) return 0;
    throw ioError(reason, `look at ${path}`);
  }
}
