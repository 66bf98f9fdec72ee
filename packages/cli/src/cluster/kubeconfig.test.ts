import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { expiryOf, mergeKubeconfig, readAccess } from './kubeconfig.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const made = (server = 'https://127.0.0.1:16443') =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'admin@local',
    clusters: [{ name: 'local', cluster: { server, 'certificate-authority-data': base64('AUTHORITY') } }],
    contexts: [{ name: 'admin@local', context: { cluster: 'local', user: 'admin' } }],
    users: [
      {
        name: 'admin',
        user: { 'client-certificate-data': base64('CERTIFICATE'), 'client-key-data': base64('KEY') },
      },
    ],
  });
const isBad = (reason: unknown) =>
  reason instanceof PlinthError &&
  reason.code === 'cluster/bad-kubeconfig' &&
  !reason.message.includes('S0VZ');

test('readAccess takes the current context apart', () => {
  assert.deepEqual(readAccess(made(), 'x'), {
    server: 'https://127.0.0.1:16443',
    authorityPem: 'AUTHORITY',
    certificatePem: 'CERTIFICATE',
    keyPem: 'KEY',
  });
  assert.equal(expiryOf(readAccess(made(), 'x')), undefined);
});

for (const [title, text] of [
  ['no YAML', '{'],
  ['nothing', ''],
  ['another shape', 'clusters: 1'],
  ['a server without TLS', made('http://127.0.0.1:1')],
  [
    'a current context that is not in it',
    made().replace('current-context: admin@local', 'current-context: b'),
  ],
  ['YAML that unfolds without end', 'a: &a [1]\nb: [*a, *a]\nc: &c [*a]\n'],
  ['a file too large', `# ${'x'.repeat(5 * 1024 * 1024)}`],
] as const) {
  test(`readAccess refuses ${title}, and shows no value of it`, () => {
    assert.throws(() => readAccess(text, 'x'), isBad);
  });
}

test('readAccess never fails in another way', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.throws(() => readAccess(text, 'x'), isBad);
    }),
  );
});

test('mergeKubeconfig makes a new file, and merging again changes nothing', () => {
  const once = mergeKubeconfig(undefined, made(), 'local', 'x');
  assert.equal(readAccess(once, 'x').keyPem, 'KEY');
  assert.equal(parse(once)['current-context'], 'plinth-local');
  assert.equal(mergeKubeconfig(once, made(), 'local', 'x'), once);
});

test('mergeKubeconfig keeps everything of others and replaces what is its own', () => {
  const others = {
    apiVersion: 'v1',
    kind: 'Config',
    preferences: { colors: true },
    clusters: [{ name: 'prod', cluster: { server: 'https://prod', 'insecure-skip-tls-verify': true } }],
    contexts: [{ name: 'prod', context: { cluster: 'prod', user: 'me', namespace: 'web' } }],
    users: [{ name: 'me', user: { exec: { command: 'login' } } }],
    'current-context': 'prod',
  };
  const first = mergeKubeconfig(stringify(others), made('https://127.0.0.1:1'), 'local', 'x');
  const second = parse(mergeKubeconfig(first, made(), 'local', 'x'));
  for (const list of ['clusters', 'contexts', 'users'] as const) {
    assert.deepEqual(second[list][0], others[list][0]);
    assert.equal(second[list].length, 2);
  }
  assert.deepEqual(second.preferences, others.preferences);
  assert.equal(second.clusters[1].cluster.server, 'https://127.0.0.1:16443');
});

test('mergeKubeconfig touches no file that it does not understand', () => {
  assert.throws(() => mergeKubeconfig('clusters: no', made(), 'local', 'x'), isBad);
  assert.throws(() => mergeKubeconfig('- a\n', made(), 'local', 'x'), isBad);
});
