import assert from 'node:assert/strict';
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import type { Answered } from '@plinth/host';
import { scratchFolder } from '@plinth/host/testing';
import { serveRepository } from './serve-repository.ts';

const scratch = await scratchFolder('serve');
const repoDir = join(scratch, 'repo');
await mkdir(join(repoDir, 'targets/channels'), { recursive: true });
await mkdir(join(repoDir, 'metadata'));
await writeFile(join(repoDir, 'targets/plinth_1.0~rc1^2.raw'), '0123456789');
await writeFile(join(repoDir, 'metadata/timestamp.json'), '{}');
await writeFile(join(repoDir, 'targets/empty'), '');
await writeFile(join(repoDir, 'targets/half.abc.tmp'), 'half');
await writeFile(join(repoDir, 'targets/.hidden'), 'hidden');
await writeFile(join(repoDir, '.lock'), 'lock');
await writeFile(join(scratch, 'secret'), 'secret');
await symlink(join(scratch, 'secret'), join(repoDir, 'targets/link'));
const log: (Answered | { problem: string })[] = [];
const server = await serveRepository({ repoDir, onAnswered: (answered) => log.push(answered) });
after(() => server.close());

/** By the path as it is: fetch would tidy it up first. */
async function ask(path: string, headers: Record<string, string> = {}, method = 'GET') {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number | undefined;
    headers: Record<string, unknown>;
    body: string;
  }>();
  const { hostname, port } = new URL(server.url);
  request({ hostname, port, path, headers, method }, (response) => {
    text(response).then(
      (body) => resolve({ status: response.statusCode, headers: response.headers, body }),
      reject,
    );
  })
    .on('error', reject)
    .end();
  return promise;
}

const file = '/targets/plinth_1.0~rc1%5E2.raw';

test('whole files, heads and single ranges', async () => {
  const whole = await ask(file);
  assert.deepEqual([whole.status, whole.body, whole.headers['accept-ranges']], [200, '0123456789', 'bytes']);
  const head = await ask(file, {}, 'HEAD');
  assert.deepEqual([head.status, head.body, head.headers['content-length']], [200, '', '10']);
  const part = await ask(file, { range: 'bytes=2-4' });
  assert.deepEqual([part.status, part.body, part.headers['content-range']], [206, '234', 'bytes 2-4/10']);
  const behind = await ask(file, { range: 'bytes=10-' });
  assert.deepEqual([behind.status, behind.headers['content-range']], [416, 'bytes */10']);
  assert.equal((await ask('/targets/empty')).status, 200);
  assert.equal((await ask('/metadata/timestamp.json')).headers['content-type'], 'application/json');
});

test('a range counts only for the file it was begun with', async () => {
  const { headers } = await ask(file);
  const etag = String(headers['etag']);
  const range = 'bytes=2-4';
  assert.equal((await ask(file, { range, 'if-range': etag })).status, 206);
  assert.equal((await ask(file, { 'if-none-match': etag })).status, 304);
  const next = join(repoDir, 'targets/next');
  await writeFile(next, 'abcdefghij');
  await rename(next, join(repoDir, 'targets/plinth_1.0~rc1^2.raw'));
  const changed = await ask(file, { range, 'if-range': etag });
  assert.deepEqual([changed.status, changed.body], [200, 'abcdefghij']);
  assert.equal((await ask(file, { 'if-none-match': etag })).status, 200);
});

test('nothing is listed, nothing outside is reached, nothing is taken', async () => {
  const paths = [
    ...[
      '/',
      '/targets',
      '/targets/',
      '/targets/channels',
      '/targets/channels/',
      '/.lock',
      '/targets/.hidden',
    ],
    ...['/targets/half.abc.tmp', '/targets/link', '/targets/../../secret', '/targets/..%2f..%2fsecret'],
    ...[
      '/targets//empty',
      '/targets/%00',
      '/targets/%zz',
      `/targets/${'a'.repeat(3000)}`,
      '/other/file',
      '*',
    ],
  ];
  for (const path of paths) assert.equal((await ask(path)).status, 404, path);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
    assert.equal((await ask(file, {}, method)).status, 405, method);
  assert.ok(log.length > paths.length);
});

test('a taken port is told; a closed server ends its connections', async () => {
  const port = Number(new URL(server.url).port);
  await assert.rejects(serveRepository({ repoDir, port }), { code: 'host/cannot-serve' });
  const second = await serveRepository({ repoDir });
  const socket = connect(Number(new URL(second.url).port), '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await second.close();
  await closed;
});
