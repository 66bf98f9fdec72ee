import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { memoryStore, openFolder, openStateStore } from '../sys/state-store.ts';
import { fakeSys, systemError } from '../testing/fake-sys.ts';
import { openIdentity } from './open-identity.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plinth-identity-'));
});
after(() => rm(folder, { recursive: true, force: true }));

test('openIdentity makes an identity once and keeps it, for root only', async () => {
  const store = await openFolder(join(folder, 'kept'));
  const first = await openIdentity(store, 'node-1');
  const again = await openIdentity(store, 'renamed');
  assert.deepEqual(again, first);
  assert.equal(first.concern, undefined);
  assert.equal(first.persistent, true);
  const file = join(folder, 'kept', 'identity', 'node.pem');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(join(folder, 'kept', 'identity')), ['node.pem', 'sync-mark']);
});

test('openssl accepts the certificate and reads what it should say', async () => {
  const { certificatePem, fingerprint } = await openIdentity(memoryStore('a test'), 'node-1');
  const openssl = (...args: string[]) => execFileSync('openssl', args, { input: certificatePem }).toString();
  const text = openssl('x509', '-noout', '-text');
  for (const expected of [
    /Version: 3/,
    /Subject: CN = ?node-1/,
    /Issuer: CN = ?node-1/,
    /Not After : Dec 31 23:59:59 9999 GMT/,
    /Public Key Algorithm: id-ecPublicKey/,
    /ASN1 OID: prime256v1/,
    /CA:FALSE/,
    /Digital Signature\n/,
    /TLS Web Server Authentication/,
    /DNS:node-1/,
    /Signature Algorithm: ecdsa-with-SHA256/,
  ]) {
    assert.match(text, expected);
  }
  const digest = openssl('x509', '-noout', '-fingerprint', '-sha256');
  assert.equal(`sha256:${digest.split('=')[1]?.trim().replaceAll(':', '').toLowerCase()}`, fingerprint);
  const pem = join(folder, 'self.pem');
  await writeFile(pem, certificatePem);
  assert.match(
    execFileSync('openssl', ['verify', '-check_ss_sig', '-partial_chain', '-trusted', pem, pem]).toString(),
    /OK/,
  );
});

test('a damaged identity is set aside, replaced, and said', async () => {
  const path = join(folder, 'damaged');
  const store = await openFolder(path);
  const first = await openIdentity(store, 'node-1');
  const file = join(path, 'identity', 'node.pem');
  const whole = await readFile(file, 'utf8');
  for (const [what, content] of [
    ['half a file', whole.slice(0, whole.length / 2)],
    ['no bytes', ''],
    [
      'another key',
      `${(await openIdentity(memoryStore('a test'), 'x')).privateKeyPem}${first.certificatePem}`,
    ],
  ] as const) {
    await writeFile(file, content);
    const next = await openIdentity(store, 'node-1');
    assert.notEqual(next.fingerprint, first.fingerprint, what);
    assert.match(next.concern ?? '', /damaged/, what);
    assert.equal(await readFile(`${file}.unusable`, 'utf8'), content, what);
    assert.equal((await openIdentity(store, 'node-1')).fingerprint, next.fingerprint, what);
  }
});

test('an identity that cannot be read or set aside is kept for the next start, and said', async () => {
  const path = join(folder, 'unread');
  const store = await openFolder(path);
  const first = await openIdentity(store, 'node-1');
  const file = join(path, 'identity', 'node.pem');
  const whole = await readFile(file);
  const refuse = (code: string) => async () => {
    throw systemError(code, file);
  };
  const damaged = async () => Buffer.from('bits');
  for (const failing of [{ read: refuse('EIO') }, { read: damaged, setAside: refuse('EROFS') }]) {
    const other = await openIdentity({ ...store, ...failing }, 'node-1');
    assert.notEqual(other.nodeId, first.nodeId);
    assert.equal(other.persistent, false);
    assert.match(other.concern ?? '', /cannot be read, .*: (EIO|EROFS)$/);
    assert.deepEqual(await readFile(file), whole);
  }
  assert.deepEqual(await openIdentity(store, 'node-1'), first);
});

function mounted(fileSystem: string) {
  return fakeSys({ files: { '/proc/self/mountinfo': `1 0 0:1 / / rw - ${fileSystem} x rw\n` } });
}

test('openStateStore keeps state in memory when the folder is not on a disk', async () => {
  const store = await openStateStore(mounted('tmpfs'), join(folder, 'state'));
  const identity = await openIdentity(store, 'node-1');
  assert.equal(identity.persistent, false);
  assert.match(identity.concern ?? '', /is on tmpfs, not on a disk/);
  assert.equal((await openIdentity(store, 'node-1')).fingerprint, identity.fingerprint);
});

test('openStateStore keeps state in memory when nothing can be written', async () => {
  await writeFile(join(folder, 'file'), '');
  const store = await openStateStore(mounted('ext4'), join(folder, 'file', 'state'));
  assert.match(store.volatileBecause ?? '', /cannot be written: ENOTDIR/);
});

test('openStateStore uses a folder on a disk', async () => {
  const path = join(folder, 'disk');
  const store = await openStateStore(mounted('ext4'), path);
  assert.equal(store.volatileBecause, undefined);
  await chmod(path, 0o755);
  assert.equal(await (await openFolder(path)).read('nothing'), undefined);
  assert.equal((await stat(path)).mode & 0o777, 0o700);
});
