import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import type { ClusterAccess } from '@plinth/kube';
import { parseAllDocuments } from 'yaml';
import type { Read } from '../read/read-sources.ts';
import { LISTED, listCluster } from './list-cluster.ts';

// What an API server may answer besides what it should; the real one is in tests/kubernetes.

const folder = mkdtempSync(join(tmpdir(), 'plinth-list-'));
const subject = ['-subj', '/CN=x', '-addext', 'subjectAltName=IP:127.0.0.1'];
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem'];
execFileSync('openssl', ['req', '-x509', ...newKey, '-days', '2', ...subject, '-out', 'cert.pem'], {
  cwd: folder,
  stdio: 'pipe',
});
const cert = readFileSync(join(folder, 'cert.pem'), 'utf8');
const key = readFileSync(join(folder, 'key.pem'), 'utf8');

type Answer = readonly [status: number, body: string];
const empty: Answer = [200, '{"items":[],"metadata":{}}'];
/** What the server answers to a path with its query; else an empty list. */
let answer: (url: URL) => Answer | undefined;
const asked: string[] = [];
const server = createServer({ cert, key }, (request, response) => {
  const url = new URL(request.url ?? '', 'https://x');
  asked.push(`${url.pathname}${url.search} ${request.headers.authorization}`);
  const [status, body] = answer(url) ?? empty;
  response.writeHead(status).end(body);
});
let access: ClusterAccess;
before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  access = {
    ...{ server: new URL(`https://127.0.0.1:${address.port}/prefix/`), authorityPem: cert, token: 't' },
    ...{ serverName: undefined, isUnchecked: false, certificatePem: undefined, keyPem: undefined },
    tokenFile: undefined,
  };
});
after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  asked.length = 0;
});

async function list(more: Partial<ClusterAccess> = {}): Promise<Read[]> {
  const all: Read[] = [];
  for await (const read of listCluster({ ...access, ...more }, AbortSignal.timeout(20_000))) all.push(read);
  return all;
}

const item = (name: string) => ({ metadata: { name }, spec: {} });
const page = (names: readonly string[], next = '') =>
  JSON.stringify({ items: names.map(item), metadata: { continue: next } });

test('every kind is asked for by pages, below the path of the server, with the token', async () => {
  answer = () => undefined;
  assert.deepEqual(await list(), []);
  assert.equal(asked.length, LISTED.length);
  assert.ok(asked.every((each) => each.startsWith('/prefix/api') && each.endsWith('?limit=100 Bearer t')));
});

test('pages follow one another; when the list grew too old, from where the server offers', async () => {
  answer = ({ pathname, searchParams }) => {
    if (!pathname.endsWith('/pods')) return undefined;
    const from = searchParams.get('continue');
    if (from === null) return [200, page(['a'], 'two')];
    if (from === 'two') return [410, '{"kind":"Status","metadata":{"continue":"three"}}'];
    return [200, page(['b'])];
  };
  const reads = await list();
  assert.deepEqual(
    reads.map((read) => (read.kind === 'object' ? `${read.object.kind} ${read.object.name}` : read.kind)),
    ['Pod a', 'Pod b'],
  );
});

test('a kind that is refused or not served is told, and the next one follows', async () => {
  answer = ({ pathname }) => {
    if (pathname.endsWith('/configmaps')) return [403, '{}'];
    if (pathname.endsWith('/cronjobs')) return [404, 'page not found'];
    if (pathname.endsWith('/pods')) return [410, '{}'];
    return undefined;
  };
  const told = (await list()).flatMap((read) => (read.kind === 'problem' ? [read.problem.message] : []));
  assert.equal(told.length, 3);
  assert.match(
    told.join('\n'),
    /cronjobs: status 404[\s\S]*pods: the list changed too much[\s\S]*configmaps: this account may not list them; scripts/,
  );
});

test('the rights that ship are those for what is listed, and no others', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../data/check/rbac.yaml'), 'utf8');
  const granted = parseAllDocuments(text)
    .map(
      (document) =>
        document.toJS() as {
          kind: string;
          rules?: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
        },
    )
    .filter(({ kind }) => kind === 'ClusterRole')
    .flatMap(({ rules = [] }) => rules)
    .flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
      ),
    );
  const needed = LISTED.map(
    ({ apiVersion, resource }) =>
      `list ${apiVersion.includes('/') ? apiVersion.split('/')[0] : ''}/${resource}`,
  );
  assert.deepEqual(granted.sort(), needed.sort());
});

for (const [what, given, code] of [
  ['no JSON', [200, 'hello'], 'kube/bad-answer'],
  ['no list', [200, '{"kind":"Status"}'], 'kube/bad-answer'],
  ['an account it does not know', [401, '{}'], 'kube/unauthorized'],
] as const) {
  test(`${what} is ${code}`, async () => {
    answer = () => given;
    await assert.rejects(list(), { code });
  });
}

test('items that are no objects are passed over', async () => {
  answer = ({ pathname }) =>
    pathname.endsWith('/pods')
      ? [200, '{"items":[5,null,[],{"metadata":5},{"metadata":{"name":"a"}}]}']
      : undefined;
  assert.deepEqual(
    (await list()).map((read) => read.kind === 'object' && read.object.name),
    ['', 'a'],
  );
});

test('a server of another authority is asked nothing, unless the kubeconfig says so', async () => {
  answer = () => undefined;
  await assert.rejects(list({ authorityPem: undefined }), { code: 'kube/unreachable' });
  assert.deepEqual(asked, []);
  const reads = await list({ authorityPem: undefined, isUnchecked: true });
  assert.deepEqual(
    reads.map(({ kind }) => kind),
    ['note'],
  );
});
