import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { scratchFolder } from '@plinth/host/testing';
import { makeOpenPgpKey, openOpenPgpSigner, readOpenPgpKey, verifyOpenPgp } from './openpgp-key.ts';

const scratch = await scratchFolder('openpgp');
const files = { private: join(scratch, 'a.key.asc'), public: join(scratch, 'a.pub.asc') };
await makeOpenPgpKey(files, 'Test', 'correct horse');
const signer = await openOpenPgpSigner(files.private, 'correct horse');
assert.ok(signer);
const data = Buffer.from('advisory\r\n\0binary');

test('a signature counts for its bytes and its key only', async () => {
  const signature = await signer.signArmoured(data);
  const key = await readFile(files.public, 'utf8');
  const found = await verifyOpenPgp(data, signature, [key]);
  assert.deepEqual(found, { verdict: 'pass', keyId: signer.fingerprint, subject: 'Test' });
  assert.equal((await readOpenPgpKey(key, 'a')).fingerprint, signer.fingerprint);
  const others = { private: join(scratch, 'b.key.asc'), public: join(scratch, 'b.pub.asc') };
  await makeOpenPgpKey(others, 'Other', undefined);
  const other = await readFile(others.public, 'utf8');
  const wrong = [
    await verifyOpenPgp(Buffer.from('advisory'), signature, [key]),
    await verifyOpenPgp(data, signature, [other]),
    await verifyOpenPgp(data, 'no signature', [key]),
    await verifyOpenPgp(data, signature, []),
    await verifyOpenPgp(data, signature, ['no key']),
  ];
  assert.deepEqual(
    wrong.map(({ verdict }) => verdict),
    Array(5).fill('fail'),
  );
  assert.equal((await verifyOpenPgp(data, signature, [other, key])).verdict, 'pass');
});

test('the private half is for its owner, and for who knows the passphrase', async () => {
  assert.equal((await stat(files.private)).mode & 0o777, 0o600);
  await assert.rejects(openOpenPgpSigner(files.private, 'wrong'), { code: 'trust/wrong-passphrase' });
  await assert.rejects(openOpenPgpSigner(files.private, undefined), { code: 'trust/wrong-passphrase' });
  await writeFile(join(scratch, 'damaged'), 'x');
  await assert.rejects(openOpenPgpSigner(join(scratch, 'damaged'), 'x'), { code: 'trust/key-unreadable' });
  assert.equal(await openOpenPgpSigner(join(scratch, 'absent'), 'x'), undefined);
});

const gpg = promisify(execFile);
const hasGpg = await gpg('gpgv', ['--version']).then(
  () => true,
  () => false,
);

test('gpgv believes what was signed', { skip: hasGpg ? false : 'no gpgv here' }, async () => {
  const home = join(scratch, 'home');
  await mkdir(home);
  await chmod(home, 0o700);
  await writeFile(join(scratch, 'ring.gpg'), signer.bytes);
  await writeFile(join(scratch, 'data'), data);
  await writeFile(join(scratch, 'data.asc'), await signer.signArmoured(data));
  const args = [
    '--homedir',
    home,
    '--keyring',
    join(scratch, 'ring.gpg'),
    join(scratch, 'data.asc'),
    join(scratch, 'data'),
  ];
  await gpg('gpgv', args);
  await writeFile(join(scratch, 'data'), 'other');
  await assert.rejects(gpg('gpgv', args));
});
