import { hash } from 'node:crypto';
import { PlinthError } from '@plinth/base';
import { addressOf, type FetchParts, guarded, wrongStatus } from './fetch-parts.ts';
import { fetchRanges, type RangeFetch } from './fetch-ranges.ts';
import { openHttpClient, shown } from './http-client.ts';
import { type MirrorOptions, type Mirrors, openMirrors } from './mirrors.ts';
import { openRateLimit } from './rate-limit.ts';
import { readChunks } from './read-chunks.ts';

export interface FetchOptions extends MirrorOptions {
  readonly addresses: readonly string[];
  readonly caPem?: string | undefined;
  readonly bytesPerSecond?: number | undefined;
  readonly stallMs: number;
  readonly signal: AbortSignal;
}

export interface FileFetch {
  /** Below the address, with slashes. */
  readonly path: string;
  readonly limitBytes: number;
  /** What it must be; undefined: whoever asks checks it. */
  readonly expected?: { readonly sizeBytes: number; readonly sha256: string };
}

/** Fetches files of one repository; whatever comes is limited in size and time, and checked before it counts. */
export interface Fetcher {
  /**
   * A whole file in memory.
   * @throws update/unreachable, update/stalled, update/too-large, update/content-wrong
   */
  file(fetch: FileFetch): Promise<Buffer>;
  /** As `file`, from one address and tried once; a file that is not there is undefined. */
  fileAt(base: URL, fetch: FileFetch): Promise<Buffer | undefined>;
  /** Parts of a large file, each piece checked by the one who asks; see RangeFetch. */
  ranges(fetch: RangeFetch): Promise<void>;
  readonly mirrors: Mirrors;
  /** Everything that came so far, wasted bytes too. */
  bytesFetched(): number;
  close(): void;
}

/**
 * openFetcher connects to nothing yet.
 * @throws update/bad-source
 */
export function openFetcher(options: FetchOptions): Fetcher {
  let fetchedBytes = 0;
  const { stallMs, signal } = options;
  const http = openHttpClient(options.caPem);
  const mirrors = openMirrors(options.addresses, options);
  const parts: FetchParts = {
    ...{ http, mirrors, stallMs, signal },
    rate: openRateLimit(options.bytesPerSecond),
    came: (bytes) => {
      fetchedBytes += bytes;
    },
  };
  return {
    file: (fetch) =>
      mirrors.attempt(fetch.path, (base) => fetchFile(parts, addressOf(base, fetch.path), fetch), signal),
    async fileAt(base, fetch) {
      try {
        return await fetchFile(parts, addressOf(base, fetch.path), fetch);
      } catch (reason) {
        // Servers of objects say 403 for what is not there (TUF, 5.3.3).
        if (reason instanceof PlinthError && [403, 404].includes(Number(reason.details['status'])))
          return undefined;
        throw reason;
      }
    },
    ranges: (fetch) => fetchRanges(parts, fetch),
    mirrors,
    bytesFetched: () => fetchedBytes,
    close: () => http.close(),
  };
}

async function fetchFile(parts: FetchParts, url: URL, { limitBytes, expected }: FileFetch): Promise<Buffer> {
  const { http, rate, stallMs, signal, came } = parts;
  const { status, headers, body } = await http.get(url, { timeoutMs: stallMs, signal });
  if (status !== 200) {
    body.destroy();
    throw wrongStatus(url, status, '200');
  }
  const limit = expected?.sizeBytes ?? limitBytes;
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  const tooLarge = (bytes: number | string) => {
    body.destroy();
    const state = `${bytes} bytes or more, expected at most ${limit}`;
    return new PlinthError('update/too-large', `Cannot fetch ${shown(url)}: ${state}`);
  };
  const promised = Number(headers['content-length'] ?? 0);
  if (promised > limit) throw tooLarge(promised);
  for await (const chunk of guarded(readChunks(body, stallMs, shown(url)), url)) {
    came(chunk.length);
    sizeBytes += chunk.length;
    if (sizeBytes > limit) throw tooLarge(sizeBytes);
    chunks.push(chunk);
    await rate.passed(chunk.length, signal);
  }
  const bytes = Buffer.concat(chunks);
  if (expected && (bytes.length !== expected.sizeBytes || hash('sha256', bytes) !== expected.sha256)) {
    const state = `${bytes.length} bytes with another hash, expected the signed ${expected.sizeBytes}`;
    throw new PlinthError('update/content-wrong', `Cannot use ${shown(url)}: ${state}`);
  }
  return bytes;
}
