import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { download, downloadIfChanged, hashText } from './index.ts';
import { scratchFolder } from './testing/scratch.ts';

const CONTENT = Buffer.from('0123456789'.repeat(2000));
const EXPECTED = { sha256: hashText(CONTENT), sizeBytes: CONTENT.length };
const withCode = (code: string) => (error: unknown) => error instanceof PlinthError && error.code === code;

/** A server on loopback that answers as told and remembers the ranges it was asked for. */
async function serve(
  context: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
): Promise<{ url: string; ranges: (string | undefined)[] }> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    answer(request, response, ranges.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { url: `http://127.0.0.1:${address.port}/file`, ranges };
}

function sendRange(request: IncomingMessage, response: ServerResponse): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const range = `bytes ${start}-${CONTENT.length - 1}/${CONTENT.length}`;
  response.writeHead(start > 0 ? 206 : 200, start > 0 ? { 'Content-Range': range } : {});
  response.end(CONTENT.subarray(start));
}

const target = async () => join(await scratchFolder('download'), 'file');

test('download resumes a broken transfer where it stopped', async (context) => {
  let hangUp = () => {};
  const { url, ranges } = await serve(context, (request, response, count) => {
    if (count > 1) return sendRange(request, response);
    hangUp = () => response.destroy();
    response.writeHead(200, { 'Content-Length': CONTENT.length });
    response.write(CONTENT.subarray(0, 5000));
  });
  const path = await target();
  const onBytes = (receivedBytes: number) => receivedBytes === 5000 && hangUp();
  await assert.rejects(
    download(url, path, { ...EXPECTED, attempts: 1, onBytes }),
    withCode('host/download-failed'),
  );
  assert.deepEqual(await readdir(join(path, '..')), ['file.part']);
  await download(url, path, EXPECTED);
  assert.deepEqual(await readFile(path), CONTENT);
  assert.deepEqual(await readdir(join(path, '..')), ['file']);
  assert.deepEqual(ranges, [undefined, 'bytes=5000-']);
});

test('download starts over when the kept bytes belong to another file', async (context) => {
  const { url, ranges } = await serve(context, sendRange);
  const path = await target();
  await writeFile(`${path}.part`, 'these are not the bytes you are looking for');
  await download(url, path, EXPECTED);
  assert.deepEqual(await readFile(path), CONTENT);
  assert.deepEqual(ranges, ['bytes=43-', undefined]);
});

test('download takes the whole file from a server without ranges', async (context) => {
  const { url } = await serve(context, (_request, response) => response.end(CONTENT));
  const path = await target();
  await writeFile(`${path}.part`, CONTENT.subarray(0, 100));
  await download(url, path, EXPECTED);
  assert.deepEqual(await readFile(path), CONTENT);
});

test('download tries again after a server error and gives up on a missing file', async (context) => {
  const { url, ranges } = await serve(context, (request, response, count) => {
    if (count === 1) response.writeHead(503).end();
    else if (count === 2) sendRange(request, response);
    else response.writeHead(404).end();
  });
  await download(url, await target(), EXPECTED);
  assert.equal(ranges.length, 2);
  await assert.rejects(download(url, await target(), EXPECTED), withCode('host/download-missing'));
  assert.equal(ranges.length, 3);
});

test('download refuses a file that is not the promised one and keeps nothing of it', async (context) => {
  const { url } = await serve(context, (_request, response) => response.end(CONTENT.toReversed()));
  const path = await target();
  await assert.rejects(download(url, path, EXPECTED), withCode('host/digest-mismatch'));
  assert.deepEqual(await readdir(join(path, '..')), []);
});

test('download stops at its limit', async (context) => {
  const { url } = await serve(context, (_request, response) => response.end(CONTENT));
  await assert.rejects(download(url, await target(), { limitBytes: 1000 }), withCode('host/digest-mismatch'));
});

test('download gives a silent server up and obeys an interruption', async (context) => {
  const { url } = await serve(context, (_request, response) => {
    response.write(CONTENT.subarray(0, 10));
  });
  await assert.rejects(
    download(url, await target(), { ...EXPECTED, attempts: 1, stallMs: 50 }),
    withCode('host/download-failed'),
  );
  const signal = AbortSignal.timeout(50);
  await assert.rejects(download(url, await target(), { ...EXPECTED, signal }), withCode('cli/interrupted'));
});

test('download never shows a password and passes it as a header', async (context) => {
  let seen: string | undefined;
  const { url } = await serve(context, (request, response) => {
    seen = request.headers.authorization;
    response.writeHead(403).end();
  });
  await assert.rejects(
    download(url.replace('//', '//user:secret@'), await target(), EXPECTED),
    (error) => error instanceof PlinthError && !error.message.includes('secret'),
  );
  assert.equal(seen, `Basic ${Buffer.from('user:secret').toString('base64')}`);
});

test('downloadIfChanged fetches what is new, dates it as the server does, and writes nothing while it is the same', async (context) => {
  let version = 1;
  const dated = 'Sat, 12 Sep 2026 07:55:41 GMT';
  const { url } = await serve(context, (request, response) => {
    const etag = `"${version}"`;
    const same = request.headers['if-none-match'] === etag && request.headers['if-modified-since'] === dated;
    response.writeHead(same ? 304 : 200, { ETag: etag, 'Last-Modified': dated });
    response.end(same ? undefined : `version ${version}`);
  });
  const path = await target();
  const first = await downloadIfChanged(url, path, undefined);
  assert.deepEqual(first, { etag: '"1"', lastModified: dated });
  assert.equal((await stat(path)).mtime.toUTCString(), dated);
  await writeFile(path, 'mine');
  assert.equal(await downloadIfChanged(url, path, first), undefined);
  assert.equal(await readFile(path, 'utf8'), 'mine');
  version = 2;
  assert.deepEqual(await downloadIfChanged(url, path, first), { etag: '"2"', lastModified: dated });
  assert.equal(await readFile(path, 'utf8'), 'version 2');
});

test('a server that says "the same" of what was never asked for is not believed', async (context) => {
  const { url } = await serve(context, (_request, response) => response.writeHead(304).end());
  await assert.rejects(downloadIfChanged(url, await target(), undefined), withCode('host/download-failed'));
});
