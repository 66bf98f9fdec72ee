import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { KubernetesAccess } from './kubeconfig.ts';
import { listKubernetesNodes } from './kubernetes-nodes.ts';

const folder = mkdtempSync(join(tmpdir(), 'plinth-nodes-'));
const subject = ['-subj', '/CN=x', '-addext', 'subjectAltName=IP:127.0.0.1'];
const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem'];
execFileSync('openssl', ['req', '-x509', ...key, '-days', '2', ...subject, '-out', 'cert.pem'], {
  cwd: folder,
  stdio: 'pipe',
});
const cert = readFileSync(join(folder, 'cert.pem'), 'utf8');
const keyPem = readFileSync(join(folder, 'key.pem'), 'utf8');

/** What the server answers next. */
let next: { readonly status: number; readonly body: string } = { status: 200, body: '' };
let seen = '';
const server = createServer(
  { cert, key: keyPem, ca: cert, requestCert: true, rejectUnauthorized: true },
  (request, response) => {
    seen = request.url ?? '';
    if (next.status !== 0) response.writeHead(next.status).end(next.body);
  },
);
let access: KubernetesAccess;

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  access = {
    ...{ server: `https://127.0.0.1:${address.port}`, authorityPem: cert },
    ...{ certificatePem: cert, keyPem },
  };
});
after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

test('listKubernetesNodes asks with the client certificate', async () => {
  const item = {
    metadata: { name: 'a' },
    spec: {},
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  };
  next = { status: 200, body: JSON.stringify({ items: [item] }) };
  assert.deepEqual(await listKubernetesNodes(access, 20_000), [
    { name: 'a', ready: true, reason: '', version: '' },
  ]);
  assert.equal(seen, '/api/v1/nodes');
});

for (const [title, answer, pattern] of [
  ['a refusal', { status: 403, body: '{}' }, /status 403/],
  ['something else', { status: 200, body: 'hello' }, /not JSON/],
  ['too much', { status: 200, body: 'x'.repeat(17 * 1024 * 1024) }, /too large/],
] as const) {
  test(`${title} is cluster/unreachable and may pass`, async () => {
    next = answer;
    await assert.rejects(listKubernetesNodes(access, 20_000), {
      code: 'cluster/unreachable',
      retryable: true,
      message: pattern,
    });
  });
}

test('an API server that says nothing is given up in time', async () => {
  next = { status: 0, body: '' };
  await assert.rejects(listKubernetesNodes(access, 200), { code: 'cluster/unreachable' });
});

test('an API server of another authority is not asked', async () => {
  seen = '';
  const other = { ...access, authorityPem: '' };
  await assert.rejects(listKubernetesNodes(other, 20_000), { code: 'cluster/unreachable' });
  assert.equal(seen, '');
});
