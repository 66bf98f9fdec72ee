import assert from 'node:assert/strict';
import { verify, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { RevocationsSchema, revocationsToSign } from '@plinth/api';
import { initKeys, loadPublicKeys } from '@plinth/trust';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';
import type { Ledger } from './ledger.ts';
import { withIssued, withRevoked } from './revoke.ts';

let fleet: FakeFleet;
let keys: string;

before(async () => {
  fleet = await fakeFleet('cp1', 'w1');
  keys = join(fleet.folder, 'config-dir', 'keys');
  await initKeys(keys);
});
after(() => fleet[Symbol.asyncDispose]());

const listOf = (name: string) => {
  const held = fleet.nodes.get(name)?.access.revocations;
  return held && fromBinary(RevocationsSchema, held.list);
};

test('a certificate is issued for a while, handed over as one file, and used from another place', async () => {
  const out = join(fleet.folder, 'bob.plinth-access');
  const made = await fleet.plinth('access', 'issue', 'bob', '--ttl', '1h', '--output', out, '-o', 'json');
  assert.equal(made.exitCode, 0, made.stderr);
  const issued = JSON.parse(made.stdout);
  assert.deepEqual([issued.role, issued.nodes], ['plinth:reader', ['cp1', 'w1']]);
  assert.equal((await stat(out)).mode & 0o777, 0o600);
  const bundle = JSON.parse(await readFile(out, 'utf8'));
  assert.doesNotMatch(made.stdout, /PRIVATE KEY/);
  const certificate = new X509Certificate(bundle.certificate);
  assert.match(certificate.subject, /O=plinth:reader\nCN=bob|CN=bob\nO=plinth:reader/);
  const hours = (certificate.validToDate.getTime() - Date.now()) / 3_600_000;
  assert.ok(hours > 0.9 && hours <= 1);
  const [authority] = (await loadPublicKeys(keys)).certificates('api-authority');
  assert.ok(authority && certificate.verify(authority.publicKey));
  const elsewhere = await fakeFleet();
  try {
    const added = await elsewhere.plinth('config', 'add', '--bundle', out);
    assert.equal(added.exitCode, 0, added.stderr);
    const shown = await elsewhere.plinth('config', 'contexts', '-o', 'json');
    assert.match(shown.stdout, /cp1[\s\S]*w1/);
    const key = join(elsewhere.folder, 'config-dir', 'clients', 'bob.key');
    assert.equal((await stat(key)).mode & 0o777, 0o600);
  } finally {
    await elsewhere[Symbol.asyncDispose]();
  }
  assert.equal((await fleet.plinth('access', 'issue', 'bob', '--output', out)).exitCode, 2);
  const other = await fleet.plinth('access', 'issue', 'bob', '--output', join(fleet.folder, 'b.access'));
  assert.match(other.stdout, /plinth config add --bundle b\.access /);
});

test('without keys nothing is revoked, and no folder is made that keys could not be put into', async () => {
  const missing = join(fleet.folder, 'no-keys');
  const refused = await fleet.plinth('access', 'revoke', 'bob', '--keys', missing);
  assert.match(refused.stderr, /trust\/key-missing/);
  await assert.rejects(stat(missing), { code: 'ENOENT' });
});

test('revoking tells every node, with a list the authority signed; what cannot be reached is said', async () => {
  const revoked = await fleet.plinth('access', 'revoke', 'bob', '--reason', 'left', '-o', 'json');
  assert.equal(revoked.exitCode, 0, revoked.stderr);
  for (const name of ['cp1', 'w1']) {
    const list = listOf(name);
    assert.deepEqual([list?.version, list?.revocations[0]?.certificate.value], [1n, 'bob']);
  }
  const held = fleet.nodes.get('cp1')?.access.revocations;
  const [authority] = (await loadPublicKeys(keys)).certificates('api-authority');
  assert.ok(held && authority);
  assert.ok(verify('sha256', revocationsToSign(held.list), authority.publicKey, held.signature));
  assert.match((await fleet.plinth('access', 'list')).stdout, /bob\s+reader\s+revoked/);
  const [again] = [await fleet.plinth('access', 'push')];
  assert.equal(again?.exitCode, 0);
  const w1 = fleet.nodes.get('w1');
  assert.ok(w1?.access.revocations);
  await fleet.plinth(
    'config',
    'add',
    'gone',
    '--endpoint',
    '127.0.0.1:1',
    '--fingerprint',
    `sha256:${'0'.repeat(64)}`,
    '--certificate',
    join(fleet.folder, 'client.crt'),
    '--key',
    join(fleet.folder, 'client.key'),
  );
  const partly = await fleet.plinth('access', 'push', '--timeout', '2');
  assert.equal(partly.exitCode, 5);
  assert.match(partly.stdout, /gone/);
  await fleet.plinth('config', 'remove', 'gone');
});

test('who was never issued anything cannot be revoked by name, a fingerprint from elsewhere can', async () => {
  const unknown = await fleet.plinth('access', 'revoke', 'nobody');
  assert.equal(unknown.exitCode, 1);
  assert.match(unknown.stderr, /access\/not-issued/);
  const print = `sha256:${'ab'.repeat(32)}`;
  assert.equal((await fleet.plinth('access', 'revoke', print)).exitCode, 0);
  const session = await fleet.plinth('access', 'revoke', 'oidc:ann');
  assert.equal(session.exitCode, 0, 'people who log in are in no list of issued certificates');
  assert.ok(listOf('cp1')?.revocations.some(({ certificate }) => certificate.value === 'oidc:ann'));
  assert.equal(listOf('w1')?.revocations.length, 3);
});

const now = new Date('2026-11-22T00:00:00Z');
const later = (hours: number) => new Date(now.getTime() + hours * 3_600_000).toISOString();
const empty: Ledger = { issued: [], version: 0, revoked: [] };

test('what has expired leaves the list of issued ones and of revoked ones, and versions only count up', () => {
  const issued = (digit: string, hours: number) => ({
    ...{ name: 'bob', role: 'plinth:reader', fingerprint: `sha256:${digit.repeat(64)}` },
    ...{ issuedAt: later(-1), expiresAt: later(hours) },
  });
  const ledger = withIssued(withIssued(empty, issued('a', 1), now), issued('b', 100), now);
  const once = withRevoked(ledger, 'sha256:a', 'x', now);
  assert.deepEqual([once.version, once.revoked.length], [1, 1]);
  const next = withRevoked(once, 'sha256:b', 'x', new Date(later(5)));
  assert.deepEqual(
    [next.version, next.revoked.map(({ fingerprint }) => fingerprint?.slice(0, 8))],
    [2, ['sha256:b']],
  );
  assert.equal(withIssued(next, issued('c', 200), new Date(later(5))).issued.length, 2);
  assert.throws(() => withRevoked(withIssued(ledger, issued('a', 9), now), 'sha256:a', 'x', now));
});
