import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { readCvrfJson, readCvrfXml } from '../cvrf/read-cvrf.ts';
import { factsOf } from '../record/facts.ts';
import { samplePublisher } from '../testing/oracles.ts';
import { sampleRecords } from '../testing/sample-records.ts';
import { planTree } from '../tree/plan-tree.ts';
import { serveAdvisories } from './serve-advisories.ts';

const scratch = await scratchFolder('serve-advisories');
const treeDir = join(scratch, 'web');
const records = sampleRecords.map((record, index) =>
  index === 0 ? { ...record, publishedAt: '2025-12-01T00:00:00Z' } : record,
);
for (const [path, content] of planTree({ records, publisher: samplePublisher, keys: [] }).files) {
  await mkdir(dirname(join(treeDir, path)), { recursive: true });
  await writeFile(join(treeDir, path), content);
}
await writeFile(join(scratch, 'secret'), 'secret');
await symlink(join(scratch, 'secret'), join(treeDir, 'link'));
await writeFile(join(treeDir, 'half.tmp'), 'half');
const server = await serveAdvisories({ treeDir });
after(() => server.close());

/** By the path as it is: fetch would tidy it up first. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET') {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number | undefined;
    type: string;
    headers: Record<string, unknown>;
    body: string;
  }>();
  const { hostname, port } = new URL(server.url);
  request({ hostname, port, path, headers, method }, (response) => {
    const type = response.headers['content-type'] ?? '';
    text(response).then(
      (body) => resolve({ status: response.statusCode, type, headers: response.headers, body }),
      reject,
    );
  })
    .on('error', reject)
    .end();
  return promise;
}

const months = async (path: string) => {
  const { body } = await ask(path);
  return JSON.parse(body).value.map(({ ID }: { ID: string }) => ID);
};

test("the addresses of Microsoft's API, in the form the reader accepts", async () => {
  assert.ok(server.url.startsWith('http://127.0.0.1:'));
  assert.deepEqual(await months('/cvrf/v3.0/updates'), ['2025-Dec', '2026-Nov']);
  const json = { accept: 'application/json' };
  const facts = factsOf(records.slice(1));
  for (const path of [
    '/cvrf/v3.0/cvrf/2026-Nov',
    '/cvrf/2026-Nov',
    '/cvrf/v3.0/cvrf/2026-nov?api-version=2016-08-01',
  ]) {
    const asXml = await ask(path);
    assert.equal(asXml.type, 'application/xml');
    assert.deepEqual(readCvrfXml(Buffer.from(asXml.body), 'x'), facts);
    const asJson = await ask(path, json);
    assert.equal(asJson.type, 'application/json');
    assert.deepEqual(readCvrfJson(Buffer.from(asJson.body), 'x'), facts);
  }
  assert.equal((await ask('/cvrf/v3.0/updates', { accept: 'text/xml' })).type, 'application/xml');
});

test('the list narrowed to a month, a year, an identifier', async () => {
  assert.deepEqual(await months("/cvrf/v3.0/updates('2026-Nov')"), ['2026-Nov']);
  assert.deepEqual(await months('/cvrf/v3.0/Updates/2025'), ['2025-Dec']);
  assert.deepEqual(await months("/cvrf/v3.0/updates('CVE-2026-42772')"), ['2025-Dec']);
  assert.deepEqual(await months("/cvrf/v3.0/updates('GHSA-5qpq-xqfv-j9pg')"), ['2026-Nov']);
  assert.deepEqual(await months("/cvrf/v3.0/updates('CVE-1999-0001')"), []);
});

test('pages and files, with what makes them safe', async () => {
  const page = await ask('/');
  assert.equal(page.type, 'text/html; charset=utf-8');
  assert.equal(page.headers['x-content-type-options'], 'nosniff');
  assert.match(String(page.headers['content-security-policy']), /default-src 'none'/);
  assert.equal((await ask('/feed.atom')).type, 'application/atom+xml');
  assert.equal((await ask('/.well-known/csaf/provider-metadata.json')).type, 'application/json');
  const again = await ask('/', { 'if-none-match': String(page.headers['etag']) });
  assert.deepEqual([again.status, again.body], [304, '']);
  const head = await ask('/', {}, 'HEAD');
  assert.deepEqual(
    [head.status, head.body, head.headers['content-length']],
    [200, '', String(Buffer.byteLength(page.body))],
  );
});

test('nothing outside of the tree is sent, and nothing is changed', async () => {
  for (const path of [
    '/../secret',
    '/%2e%2e/secret',
    '/..%2fsecret',
    '/link',
    '/half.tmp',
    '/osv',
    '/%',
    '/%00',
    '//etc/passwd',
    '/cvrf/v2.0/updates',
    '/cvrf/2026-XYZ',
    `/${'a'.repeat(4000)}`,
  ])
    assert.equal((await ask(path)).status, 404, path);
  for (const method of ['POST', 'PUT', 'DELETE']) assert.equal((await ask('/', {}, method)).status, 405);
});

test('an address that is taken is told', async () => {
  const port = Number(new URL(server.url).port);
  await assert.rejects(serveAdvisories({ treeDir, port }), { code: 'host/cannot-serve' });
  await assert.rejects(serveAdvisories({ treeDir: join(scratch, 'absent') }), { code: 'host/io' });
});
