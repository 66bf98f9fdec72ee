import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import fc from 'fast-check';
import { canonicalAddress, parseRequest } from './parse-request.ts';

const folder = await scratchFolder('csr');

/** A request made by openssl: another hand than the code under test. */
async function makeRequest(subject: string, extension?: string, rsa = false): Promise<string> {
  const key = rsa ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  execFileSync(
    'openssl',
    [
      'req',
      '-new',
      '-newkey',
      ...key,
      '-nodes',
      '-keyout',
      'k.pem',
      '-out',
      'r.pem',
      '-subj',
      subject,
      ...(extension ? ['-addext', extension] : []),
    ],
    { cwd: folder, stdio: 'pipe' },
  );
  return readFile(join(folder, 'r.pem'), 'utf8');
}

test('a request of openssl is read as it was asked for', async () => {
  for (const rsa of [false, true]) {
    const pem = await makeRequest(
      '/O=system:nodes/CN=system:node:n1',
      'subjectAltName=DNS:n1,IP:192.0.2.7,IP:2001:db8:0:0::1',
      rsa,
    );
    const content = await parseRequest(pem);
    const spki = createPublicKey(await readFile(join(folder, 'k.pem'))).export({
      type: 'spki',
      format: 'der',
    });
    assert.deepEqual(content, {
      commonName: 'system:node:n1',
      organisations: ['system:nodes'],
      dnsNames: ['n1'],
      addresses: ['192.0.2.7', '2001:db8::1'],
      more: [],
      keyDigest: createHash('sha256').update(spki).digest('hex'),
      signed: true,
    });
  }
});

test('whatever else is asked for is told', async () => {
  const more = async (subject: string, extension?: string) =>
    (await parseRequest(await makeRequest(subject, extension)))?.more;
  assert.deepEqual(await more('/O=a/OU=b/CN=c'), ['subject attribute 2.5.4.11']);
  assert.deepEqual(await more('/CN=c', 'basicConstraints=critical,CA:TRUE'), ['extension 2.5.29.19']);
  assert.deepEqual(await more('/CN=c', 'subjectAltName=URI:https://x,email:a@b'), [
    'alternative name of kind 6',
    'alternative name of kind 1',
  ]);
  assert.equal(await parseRequest(await makeRequest('/O=a')), undefined);
  assert.equal(await parseRequest(await makeRequest('/CN=a/CN=b')), undefined);
});

test('a request for a key that its sender does not have is not signed', async () => {
  const pem = await makeRequest('/O=system:nodes/CN=system:node:n1');
  const der = Buffer.from(pem.split('-----')[2] ?? '', 'base64');
  der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
  const changed = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  assert.equal((await parseRequest(changed))?.signed, false);
});

test('damaged and hostile requests never throw, and never read as the sound one', async () => {
  const pem = await makeRequest('/O=system:nodes/CN=system:node:n1');
  const der = Buffer.from(pem.split('-----')[2] ?? '', 'base64');
  const wrap = (bytes: Buffer) =>
    `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  assert.equal((await parseRequest(wrap(der)))?.signed, true);
  // Up to the end of what is signed: 30 81 LENGTH, and in it again 30 81 LENGTH. The signature itself has other forms.
  assert.deepEqual([der[0], der[1], der[3], der[4]], [0x30, 0x81, 0x30, 0x81]);
  await fc.assert(
    fc.asyncProperty(fc.nat(5 + der.readUInt8(5)), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const changed = Buffer.from(der);
      changed.writeUInt8(changed.readUInt8(at) ^ flip, at);
      const content = await parseRequest(wrap(changed));
      assert.notEqual(
        content?.signed && content.commonName === 'system:node:n1' && content.more.length === 0,
        true,
      );
    }),
    { numRuns: 300 },
  );
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      assert.equal(await parseRequest(wrap(Buffer.from(bytes))), undefined);
    }),
  );
  assert.equal(await parseRequest(wrap(Buffer.concat([der, Buffer.from([0])]))), undefined);
  assert.equal(await parseRequest(pem + pem), undefined);
  assert.equal(await parseRequest('x'.repeat(20_000)), undefined);
});

test('two forms of one address are the same', () => {
  assert.equal(canonicalAddress('2001:DB8:0:0:0:0:0:1'), '2001:db8::1');
  assert.equal(canonicalAddress('192.0.2.1'), '192.0.2.1');
});
