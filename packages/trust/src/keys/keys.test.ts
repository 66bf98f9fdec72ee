import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmod, chown, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeText, readSignatureLists } from '@plinth/formats';
import { scratchFolder } from '@plinth/host/testing';
import { signDetached, verifyDetached } from '../signatures/detached.ts';
import { exportKeys } from './export-keys.ts';
import { initKeys } from './init-keys.ts';
import { issueClientCertificate } from './issue-client-certificate.ts';
import { currentEntry, keyPaths, readKeyRingFile } from './key-ring-file.ts';
import { keyRoleNames } from './key-roles.ts';
import { loadKeys, loadPublicKeys } from './load-keys.ts';
import { dropRetiredKey, rotateKey } from './rotate-key.ts';

const passphrase = 'correct horse';
/** Some account and group that is not root's. */
const GROUP = 65_532;
const scratch = await scratchFolder('keys');
const dir = join(scratch, 'keys');
const lockedDir = join(scratch, 'locked');
await Promise.all([initKeys(dir, { organisation: 'Ärzte & Co.' }), initKeys(lockedDir, { passphrase })]);

test('a key ring signs with every role, and only its owner can read private keys', async () => {
  const { signers, certificates } = await loadKeys(dir);
  const data = encodeText('data');
  for (const role of keyRoleNames.filter((name) => name !== 'api-authority')) {
    const signature = await signDetached(signers[role], data);
    assert.equal(verifyDetached(data, signature, certificates(role)).verdict, 'pass', role);
  }
  for (const name of await readdir(dir)) {
    if (!name.endsWith('.key.pem')) continue;
    assert.equal((await stat(join(dir, name))).mode & 0o777, 0o600);
  }
  assert.deepEqual(
    (await readdir(scratch)).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('keys are never made over others, nor with an unfit name', async () => {
  await assert.rejects(initKeys(dir), { code: 'trust/keys-exist' });
  for (const options of [{ organisation: '' }, { organisation: 'a\nb' }, { passphrase: '' }]) {
    await assert.rejects(initKeys(join(scratch, 'other'), options), { code: 'trust/request-invalid' });
  }
});

test('a wrong or absent passphrase is told apart from a damaged, exposed or missing key', async () => {
  await assert.rejects(loadKeys(lockedDir, { passphrase: 'wrong' }), { code: 'trust/wrong-passphrase' });
  await assert.rejects(loadKeys(lockedDir), { code: 'trust/wrong-passphrase' });
  const path = keyPaths(lockedDir, currentEntry(await readKeyRingFile(lockedDir), 'platform-key')).key;
  const pem = await readFile(path, 'utf8');
  assert.match(pem, /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
  await chmod(path, 0o644);
  await assert.rejects(loadKeys(lockedDir, { passphrase }), {
    code: 'trust/key-unreadable',
    hint: /chmod 600/,
  });
  await chmod(path, 0o600);
  await writeFile(path, 'garbage');
  await assert.rejects(loadKeys(lockedDir, { passphrase }), { code: 'trust/key-unreadable' });
  await rm(path);
  await assert.rejects(loadKeys(lockedDir, { passphrase }), { code: 'trust/key-missing' });
  await writeFile(path, pem, { mode: 0o600 });
  await loadKeys(lockedDir, { passphrase });
  await assert.rejects(loadKeys(join(scratch, 'nowhere')), { code: 'trust/key-missing' });
});

/** Why a program of this clone cannot be run as somebody else; false when it can. */
function whyNotAsOther(): string | false {
  if (process.getuid?.() !== 0) return 'only root can give files away';
  const child = { uid: GROUP, gid: GROUP, env: {}, stdio: 'ignore' } as const;
  try {
    execFileSync(process.execPath, [new URL('./load-keys.ts', import.meta.url).pathname], child);
    return false;
  } catch {
    return 'other users may not read this clone';
  }
}

test('a file of root is believed by whom root lends it to by its group, and by nobody with more rights', {
  skip: whyNotAsOther(),
}, async () => {
  const lent = join(scratch, 'lent');
  await initKeys(lent);
  const program = `
    const { loadKeys } = await import(${JSON.stringify(new URL('./load-keys.ts', import.meta.url).href)});
    console.log(await loadKeys(${JSON.stringify(lent)}).then(() => 'loaded', ({ code, message }) => code + message));`;
  for (const path of [scratch, lent]) await chmod(path, 0o755);
  const loadedWith = async (mode: number, uid = 0) => {
    for (const name of await readdir(lent)) {
      await chown(join(lent, name), uid, GROUP);
      if (name.endsWith('.key.pem')) await chmod(join(lent, name), mode);
    }
    const child = { uid: GROUP, gid: GROUP, encoding: 'utf8', env: {} } as const;
    return execFileSync(process.execPath, ['--input-type=module', '--eval', program], child);
  };
  assert.equal(await loadedWith(0o440), 'loaded\n');
  assert.equal(await loadedWith(0o640), 'loaded\n');
  for (const mode of [0o444, 0o460, 0o441])
    assert.match(await loadedWith(mode), /^trust\/key-unreadable/, mode.toString(8));
  assert.match(await loadedWith(0o440, GROUP), /^trust\/key-unreadable/, 'a file of its own needs no group');
});

test('errors about keys hold neither passphrase nor key', async () => {
  const secret = 'a secret that must not show';
  await assert.rejects(loadKeys(lockedDir, { passphrase: secret }), (error: Error) => {
    assert.doesNotMatch(`${error.stack}${JSON.stringify(error)}${String(error.cause)}`, /secret that|BEGIN/);
    return true;
  });
});

test('a rotation changes the key, keeps the old certificate in db until it is dropped', async () => {
  const before = await loadKeys(dir);
  const old = before.signers.boot.certificate;
  await assert.rejects(rotateKey(lockedDir, 'boot', { passphrase: 'wrong' }), {
    code: 'trust/wrong-passphrase',
  });
  await rotateKey(dir, 'boot');

  const after = await loadKeys(dir);
  assert.notEqual(after.signers.boot.keyId, old.keyId);
  assert.deepEqual(
    after.certificates('boot').map(({ keyId }) => keyId),
    [after.signers.boot.keyId, old.keyId],
  );
  const db = (keys: typeof after) =>
    readSignatureLists(keys.efiVariables.db).map((entry) => Buffer.from(entry.certificateDer));
  assert.equal(db(after).length, db(before).length + 1);
  assert.ok(db(after).some((certificate) => certificate.equals(old.der)));

  await assert.rejects(dropRetiredKey(dir, after.signers.boot.keyId), { code: 'trust/key-missing' });
  await dropRetiredKey(dir, old.keyId.slice(0, 12));
  const dropped = await loadPublicKeys(dir);
  assert.deepEqual(
    dropped.certificates('boot').map(({ keyId }) => keyId),
    [after.signers.boot.keyId],
  );
  assert.deepEqual(await readdir(join(dir, 'retired')), []);
});

test('exports hold certificates in every form and never a private key', async () => {
  const out = join(scratch, 'out');
  for (const format of ['pem', 'der', 'esl', 'auth'] as const) await exportKeys(dir, out, format);
  const names = await readdir(out);
  for (const name of [
    'boot.crt',
    'boot.der',
    'PK.esl',
    'KEK.esl',
    'db.esl',
    'PK.auth',
    'KEK.auth',
    'db.auth',
  ]) {
    assert.ok(names.includes(name), name);
  }
  for (const name of names)
    assert.doesNotMatch(await readFile(join(out, name), 'latin1'), /PRIVATE KEY/, name);
  const { efiVariables } = await loadPublicKeys(dir);
  assert.deepEqual(new Uint8Array(await readFile(join(out, 'db.esl'))), efiVariables.db);
  assert.equal(readSignatureLists(efiVariables.PK).length, 1);
});

test('client certificates carry role and name, chain to the authority, and end when asked', async () => {
  const { signers } = await loadKeys(dir);
  const authority = signers['api-authority'];
  const now = new Date('2026-11-21T12:00:00Z');
  const issued = await issueClientCertificate(authority, {
    role: 'plinth:admin',
    name: 'ada@desk',
    ttlSeconds: 3600,
    now,
  });
  const certificate = new X509Certificate(issued.certificatePem);
  assert.equal(certificate.subject, 'O=plinth:admin\nCN=ada@desk');
  assert.ok(certificate.verify(authority.certificate.publicKey));
  assert.ok(certificate.checkIssued(new X509Certificate(authority.certificatePem)));
  assert.equal(certificate.ca, false);
  assert.equal(new Date(certificate.validTo).getTime(), now.getTime() + 3_600_000);
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2']);
  const refused = [
    { name: '' },
    { name: 'a\nb' },
    { ttlSeconds: 0 },
    { ttlSeconds: 1e9 },
    { ttlSeconds: Number.NaN },
  ];
  for (const change of refused) {
    const request = { role: 'plinth:reader', name: 'x', ttlSeconds: 60, ...change } as const;
    await assert.rejects(issueClientCertificate(authority, request), { code: 'trust/request-invalid' });
  }
});

test('a damaged key ring file is refused', async () => {
  const path = join(dir, 'keyring.json');
  const text = await readFile(path, 'utf8');
  for (const damaged of [
    '',
    '{}',
    text.replace('"format": 1', '"format": 2'),
    text.replace('"boot"', '"root"'),
  ]) {
    await writeFile(path, damaged);
    await assert.rejects(loadPublicKeys(dir), { code: 'trust/key-unreadable' });
  }
  await writeFile(path, text);
});
