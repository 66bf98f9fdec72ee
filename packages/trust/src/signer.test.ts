import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeText } from '@plinth/formats';
import { scratchFolder } from '@plinth/host/testing';
import { readCertificate } from './certificate.ts';
import { makeCertificate } from './keys/make-certificate.ts';
import { testSigner } from './keys/test-signer.testing.ts';
import { signDetached, verifyDetached } from './signatures/detached.ts';
import { externalSigner, localSigner } from './signer.ts';

/** Stands for an HSM's tool: signs standard input with the key in the file it is given. */
const SIGN_SCRIPT = `
const { readFileSync } = require('node:fs');
const { sign } = require('node:crypto');
process.stdout.write(sign('sha256', readFileSync(0), readFileSync(process.argv[1])));
`;

test('an external program signs as a local key does', async () => {
  const local = await testSigner('local');
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keyFile = join(await scratchFolder('trust'), 'key.pem');
  await writeFile(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const dates = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2030-01-01T00:00:00Z') };
  const certificate = await makeCertificate(
    { commonName: 'hsm', organisation: 'Test', publicKey, usage: 'signing', ...dates },
    { certificate: local.certificate, keyType: 'rsa', sign: (data) => local.sign(data) },
  );
  const command = [process.execPath, '-e', SIGN_SCRIPT, keyFile] as const;
  const external = externalSigner({ certificate: certificate.pem, command: [...command] });
  const inMemory = localSigner(privateKey, certificate);

  const data = encodeText('data');
  const signature = await signDetached(external, data);
  assert.deepEqual(signature, await signDetached(inMemory, data));
  assert.equal(verifyDetached(data, signature, [certificate]).verdict, 'pass');

  const foreign = externalSigner({ certificate: local.certificatePem, command: [...command] });
  await assert.rejects(foreign.sign(data), { code: 'trust/signing-failed' });
});

test('an external program that fails or is missing is a coded error', async () => {
  const { certificatePem } = await testSigner('local');
  for (const command of [['false'], ['/nonexistent/signer'], ['true']] as const) {
    const signer = externalSigner({ certificate: certificatePem, command: [...command] });
    await assert.rejects(signer.sign(encodeText('data')), { code: 'trust/signing-failed' });
  }
});

test('localSigner refuses a key that does not belong to its certificate', async () => {
  const { certificate } = await testSigner('local');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  assert.throws(() => localSigner(privateKey, certificate), { code: 'trust/key-unreadable' });
});

test('readCertificate reads PEM and DER alike and refuses the rest', async () => {
  const { certificate } = await testSigner('local');
  assert.deepEqual(readCertificate(certificate.pem).der, certificate.der);
  assert.equal(readCertificate(certificate.der).pem, certificate.pem);
  assert.throws(() => readCertificate('no certificate'), { code: 'trust/certificate-invalid' });
  assert.throws(() => readCertificate(certificate.der.subarray(0, -1)), {
    code: 'trust/certificate-invalid',
  });
});
