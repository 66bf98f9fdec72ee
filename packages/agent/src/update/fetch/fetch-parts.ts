import { PlinthError } from '@plinth/base';
import { type HttpClient, shown } from './http-client.ts';
import type { Mirrors } from './mirrors.ts';
import type { RateLimit } from './rate-limit.ts';

/** What all requests of one staging share. */
export interface FetchParts {
  readonly http: HttpClient;
  readonly mirrors: Mirrors;
  readonly rate: RateLimit;
  readonly stallMs: number;
  readonly signal: AbortSignal;
  /** Hears of every byte that came. */
  readonly came: (bytes: number) => void;
}

/** addressOf gives the address of a file below a repository's. */
export function addressOf(base: URL, path: string): URL {
  return new URL(path.split('/').map(encodeURIComponent).join('/'), base);
}

/** guarded gives a body whose connection breaks a code. */
export async function* guarded(chunks: AsyncIterable<Buffer>, url: URL): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } catch (reason) {
    throw PlinthError.from(reason, 'update/unreachable', `Cannot fetch ${shown(url)}`);
  }
}

/** wrongStatus is the error of an answer that is none; its details keep the status. */
export function wrongStatus(url: URL, status: number, expected: string): PlinthError {
  return new PlinthError(
    'update/unreachable',
    `Cannot fetch ${shown(url)}: HTTP status ${status}, expected ${expected}`,
    { details: { status } },
  );
}
