import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Answered, ioError, type RunningServer, type ServeOptions, serveHttp } from '@plinth/host';
import { asList, readJson, textAt, valueAt } from '../../documents/read-json.ts';
import { decodeText } from '../../documents/read-text.ts';
import { readCvrfJson } from '../cvrf/read-cvrf.ts';
import { CVRF_FOLDER } from '../cvrf/updates.ts';
import { readTreeFile } from '../tree/open-tree.ts';
import { routeOf } from './route.ts';

/**
 * serveAdvisories serves a tree over plain HTTP, with the addresses of Microsoft's API for CVRF. What it sends is signed; for others than
 * this machine a web server with TLS belongs in front of it.
 * @throws host/cannot-serve when the address cannot be listened at, host/io when there is no tree
 */
export async function serveAdvisories({
  treeDir,
  ...options
}: ServeOptions & { readonly treeDir: string }): Promise<RunningServer> {
  await realpath(treeDir).catch((reason) => Promise.reject(ioError(reason, `serve ${treeDir}`)));
  return serveHttp(options, (request, response) => answer(treeDir, request, response));
}

async function answer(
  treeDir: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Answered> {
  const { method = '', url = '' } = request;
  const done = (status: number, headers: Record<string, string>, body?: Uint8Array): Answered => {
    const sent = method === 'GET' && body ? body : undefined;
    response.writeHead(status, { ...SAFE, ...headers, 'content-length': String(body?.length ?? 0) });
    response.end(sent);
    const path = url.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?');
    return { method, path, status, sentBytes: sent?.length ?? 0 };
  };
  if (method !== 'GET' && method !== 'HEAD') return done(405, { allow: 'GET, HEAD' });
  const route = routeOf(url, request.headers.accept);
  // Resolved once for each request: a publication in the middle of it changes nothing.
  const folder = await realpath(treeDir);
  if (!route) return done(404, {});
  const path = route.kind === 'file' ? route.path : `${CVRF_FOLDER}/updates.json`;
  const bytes = await readTreeFile(folder, path);
  if (!bytes) return done(404, {});
  const body = route.kind === 'file' ? bytes : await narrowUpdates(bytes, route.id, folder);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 32)}"`;
  const headers = { 'content-type': typeOf(path), etag, 'cache-control': 'no-cache', vary: 'accept' };
  const known = request.headers['if-none-match'];
  if (known?.split(',').some((tag) => tag.trim() === etag || tag.trim() === '*')) {
    response.writeHead(304, { ...SAFE, ...headers });
    response.end();
    return { method, path, status: 304, sentBytes: 0 };
  }
  return done(200, headers, body);
}

const SAFE = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
} as const;

const TYPES: Readonly<Record<string, string>> = {
  json: 'application/json',
  xml: 'application/xml',
  atom: 'application/atom+xml',
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  p7s: 'application/pkcs7-signature',
};

function typeOf(path: string): string {
  return TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'text/plain; charset=utf-8';
}

/** The list of months narrowed to one, to those of a year, or to those that name an identifier. */
async function narrowUpdates(bytes: Uint8Array, id: string, folder: string): Promise<Uint8Array> {
  const data = readJson(decodeText(bytes, 'updates.json'), 'updates.json');
  const wanted = id.toLowerCase();
  const value: unknown[] = [];
  for (const update of asList(valueAt(data, 'value'))) {
    const month = textAt(update, 'ID') ?? '';
    const isNamed = month.toLowerCase() === wanted || (/^\d{4}$/.test(id) && month.startsWith(`${id}-`));
    if (isNamed || (!/^\d{4}(-[a-z]{3})?$/i.test(id) && (await monthNames(folder, month, wanted))))
      value.push(update);
  }
  return Buffer.from(
    `${JSON.stringify({ '@odata.context': textAt(data, '@odata.context'), value }, undefined, 2)}\n`,
  );
}

async function monthNames(folder: string, month: string, wanted: string): Promise<boolean> {
  const path = `${CVRF_FOLDER}/cvrf/${month}.json`;
  const bytes = await readTreeFile(folder, path);
  if (!bytes) return false;
  return readCvrfJson(bytes, path).some(({ id, aliases }) =>
    [id, ...aliases].some((name) => name.toLowerCase() === wanted),
  );
}
