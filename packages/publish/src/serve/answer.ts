import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Answered } from '@plinth/host';
import { openServedFile, type ServedFile } from './open-served-file.ts';
import { parseRange } from './parse-range.ts';

const HIGH_WATER_BYTES = 256 * 1024;
const PATH_LIMIT = 2048;

/** answer serves one request of a repository: GET and HEAD of files, with single ranges and conditions (RFC 9110). */
export async function answer(
  repoDir: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Answered> {
  const { method = '', url = '' } = request;
  const done = (status: number, sentBytes = 0): Answered => {
    return { method, path: url.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?'), status, sentBytes };
  };
  if (method !== 'GET' && method !== 'HEAD') return done(end(response, 405, { allow: 'GET, HEAD' }));
  const file = url.length > PATH_LIMIT ? undefined : await openServedFile(repoDir, url);
  if (!file) return done(end(response, 404));
  try {
    return await send(file, request, response, done);
  } finally {
    await file.handle.close();
  }
}

async function send(
  file: ServedFile,
  request: IncomingMessage,
  response: ServerResponse,
  done: (status: number, sentBytes?: number) => Answered,
): Promise<Answered> {
  const { etag, sizeBytes } = file;
  const lastModified = file.modified.toUTCString();
  const common = {
    etag,
    'last-modified': lastModified,
    'accept-ranges': 'bytes',
    // Metadata change in place, and a release file must not be taken from a cache under a changed name.
    'cache-control': 'no-cache',
  };
  const { headers } = request;
  const known = headers['if-none-match'];
  if (known !== undefined && (known.trim() === '*' || known.split(',').some((tag) => tag.trim() === etag))) {
    return done(end(response, 304, common));
  }
  const condition = headers['if-range'];
  const rangeCounts = condition === undefined || condition === etag || condition === lastModified;
  const range = rangeCounts ? parseRange(headers.range, sizeBytes) : undefined;
  if (range === 'unsatisfiable') {
    return done(end(response, 416, { ...common, 'content-range': `bytes */${sizeBytes}` }));
  }
  const { first, last } = range ?? { first: 0, last: sizeBytes - 1 };
  const length = last - first + 1;
  const status = range ? 206 : 200;
  response.writeHead(status, {
    ...common,
    'content-type': file.contentType,
    'content-length': length,
    ...(range && { 'content-range': `bytes ${first}-${last}/${sizeBytes}` }),
  });
  if (request.method === 'HEAD' || length === 0) {
    response.end();
    return done(status);
  }
  const stream = file.handle.createReadStream({
    start: first,
    end: last,
    highWaterMark: HIGH_WATER_BYTES,
    autoClose: false,
  });
  await pipeline(stream, response);
  return done(status, length);
}

function end(response: ServerResponse, status: number, headers: Record<string, string> = {}): number {
  response.writeHead(status, status === 304 ? headers : { ...headers, 'content-length': '0' });
  response.end();
  return status;
}
