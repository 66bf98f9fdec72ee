import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import type { ClusterAccess } from './access.ts';
import { type KubeConnection, openKubeConnection } from './connection.ts';
import { listPages } from './list-pages.ts';
import { readPodAccess } from './pod-access.ts';
import { askKube, parseStatus } from './status.ts';

// What an API server may answer besides what it should; a real one is in tests/kubernetes.

const folder = mkdtempSync(join(tmpdir(), 'plinth-kube-'));
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem'];
const subject = ['-subj', '/CN=x', '-addext', 'subjectAltName=IP:127.0.0.1'];
execFileSync('openssl', ['req', '-x509', ...newKey, '-days', '2', ...subject, '-out', 'cert.pem'], {
  cwd: folder,
  stdio: 'pipe',
});
const cert = readFileSync(join(folder, 'cert.pem'), 'utf8');
const key = readFileSync(join(folder, 'key.pem'), 'utf8');
const signal = AbortSignal.timeout(20_000);

let answer: (request: IncomingMessage, response: ServerResponse) => void;
const server = createServer({ cert, key }, (request, response) => answer(request, response));
let access: ClusterAccess;
let connection: KubeConnection;
before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  access = {
    ...{ server: new URL(`https://127.0.0.1:${address.port}/prefix/`), authorityPem: cert, token: 't' },
    ...{ serverName: undefined, isUnchecked: false, certificatePem: undefined, keyPem: undefined },
    tokenFile: undefined,
  };
  connection = openKubeConnection(access, { timeoutMs: 500 });
});
after(() => {
  connection[Symbol.dispose]();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  answer = (_request, response) => void response.end('{}');
});

const says = (status: number, body: string, headers: Record<string, string> = {}) => {
  answer = (_request, response) => void response.writeHead(status, headers).end(body);
};

test('a body is sent as JSON of the kind that is asked for, below the path of the server', async () => {
  answer = async (request, response) => {
    const pieces = await request.setEncoding('utf8').toArray();
    response.end(JSON.stringify([request.method, request.url, request.headers['content-type'], pieces]));
  };
  const asked = {
    ...({ method: 'PATCH', path: '/api/v1/nodes/a', query: { fieldManager: 'x y' } } as const),
    ...{ body: { ä: 1 }, contentType: 'application/merge-patch+json' },
  };
  assert.deepEqual(await askKube(connection, asked, signal), [
    ...['PATCH', '/prefix/api/v1/nodes/a?fieldManager=x+y', 'application/merge-patch+json', ['{"ä":1}']],
  ]);
});

for (const [status, code, retryable] of [
  [401, 'kube/unauthorized', false],
  [403, 'kube/forbidden', false],
  [404, 'kube/not-found', false],
  [409, 'kube/conflict', true],
  [422, 'kube/invalid', false],
  [429, 'kube/busy', true],
  [503, 'kube/failed', true],
] as const) {
  test(`status ${status} is ${code}, with the words of the server`, async () => {
    says(status, '{"kind":"Status","reason":"R","message":"because of x"}');
    const asked = { method: 'GET', path: '/api' } as const;
    await assert.rejects(askKube(connection, asked, signal), {
      ...{ code, retryable, details: { status } },
      message: /because of x/,
    });
  });
}

test('how long to wait is told; a status is no error of a call', async () => {
  says(429, 'no', { 'retry-after': '3' });
  const given = await connection.call({ method: 'GET', path: '/api' }, signal);
  assert.deepEqual(given, { status: 429, text: 'no', retryAfterMs: 3000 });
  assert.deepEqual(parseStatus('no'), { reason: '', message: '', continueToken: undefined });
});

test('a server that does not answer in time, or that says too much, is kube/unreachable', async () => {
  const asked = { method: 'GET', path: '/api', limitBytes: 10 } as const;
  answer = () => undefined;
  await assert.rejects(connection.call(asked, signal), { code: 'kube/unreachable', message: /no answer/ });
  answer = (_request, response) => void response.write('{');
  await assert.rejects(connection.call(asked, signal), { code: 'kube/unreachable' });
  says(200, 'x'.repeat(11));
  await assert.rejects(connection.call(asked, signal), { code: 'kube/unreachable', message: /too large/ });
});

test('a watch has no time limit and gives what comes as it comes; an abort ends it', async () => {
  let write = (_line: string) => undefined as unknown;
  answer = (_request, response) => {
    write = (line) => response.write(line);
    response.writeHead(200).flushHeaders();
  };
  const ended = new AbortController();
  const stream = await connection.open(
    { method: 'GET', path: '/api', query: { watch: 'true' } },
    ended.signal,
  );
  await new Promise((resolve) => setTimeout(resolve, 700));
  write('one\n');
  const [piece] = await stream.setEncoding('utf8').take(1).toArray();
  assert.equal(piece, 'one\n');
  ended.abort();
});

test('a list whose version was let go of fails when it has to be whole', async () => {
  answer = (request, response) => {
    const isFirst = !request.url?.includes('continue');
    response.writeHead(isFirst ? 200 : 410);
    response.end(isFirst ? '{"items":[1],"metadata":{"continue":"two","resourceVersion":"7"}}' : '{}');
  };
  const versions: string[] = [];
  const list = async () => {
    for await (const page of listPages(connection, '/api/v1/pods', {}, signal))
      versions.push(page.resourceVersion);
  };
  await assert.rejects(list(), { code: 'kube/expired' });
  assert.deepEqual(versions, ['7']);
});

test('the service account of a pod is an access; outside there is none', async () => {
  writeFileSync(join(folder, 'ca.crt'), cert);
  writeFileSync(join(folder, 'token'), 'abc\n');
  const env = { KUBERNETES_SERVICE_HOST: '::1', KUBERNETES_SERVICE_PORT: '443' };
  const account = await readPodAccess(env, folder);
  assert.deepEqual(
    [account.server.href, account.token, account.tokenFile, account.authorityPem],
    ['https://[::1]/', 'abc', join(folder, 'token'), cert],
  );
  await assert.rejects(readPodAccess({}, folder), { code: 'kube/bad-kubeconfig' });
  await assert.rejects(readPodAccess(env, join(folder, 'none')), { code: 'kube/bad-kubeconfig' });
});
