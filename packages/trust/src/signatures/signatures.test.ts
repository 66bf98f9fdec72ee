import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  concatBytes,
  encodeText,
  hex,
  pcrPolicyDigest,
  predictPcr11,
  readCertificates,
} from '@plinth/formats';
import fc from 'fast-check';
import { testSigner } from '../keys/test-signer.testing.ts';
import { signPe, verifyPe } from './authenticode.ts';
import {
  signDetached,
  signIpePolicy,
  signRootHash,
  verifyDetached,
  verifyIpePolicy,
  verifyRootHashSignature,
} from './detached.ts';
import { parseDsse, preAuthEncoding, signDsse, verifyDsse } from './dsse.ts';
import { signEfiVariable } from './efi-variable.ts';
import { pcrPublicKeyPem, signPcrPolicies } from './pcr-policies.ts';

const signer = await testSigner('signer');
const stranger = await testSigner('stranger');
const [trusted, foreign] = [[signer.certificate], [stranger.certificate]];
const rootHash = createHash('sha256').update('root').digest('hex');
const program = smallProgram();

/** A PE32+ file with one section, as small as the format allows. */
function smallProgram(): Uint8Array {
  const bytes = new Uint8Array(1024);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x5a4d, true);
  view.setUint32(0x3c, 0x40, true);
  view.setUint32(0x40, 0x4550, true);
  view.setUint16(0x46, 1, true);
  view.setUint16(0x54, 240, true);
  view.setUint16(0x58, 0x20b, true);
  view.setUint32(0x58 + 60, 512, true);
  view.setUint32(0x58 + 108, 16, true);
  bytes.set(encodeText('.text'), 0x148);
  for (const [offset, value] of [
    [8, 512],
    [12, 4096],
    [16, 512],
    [20, 512],
  ] as const) {
    view.setUint32(0x148 + offset, value, true);
  }
  bytes.fill(0x90, 512);
  return bytes;
}

function flip(bytes: Uint8Array, at: number, bits: number): Uint8Array {
  return bytes.with(at, (bytes[at] ?? 0) ^ bits);
}

const bits = fc.integer({ min: 1, max: 255 });

test('each kind of signature passes with its key, fails with another, and is unknown without any', async () => {
  const data = encodeText('SHA256SUMS');
  const detached = await signDetached(signer, data);
  const rootSignature = await signRootHash(signer, rootHash);
  const policy = await signIpePolicy(signer, 'policy_name=x policy_version=1.0.0\n');
  const envelope = await signDsse(signer, 'application/vnd.in-toto+json', data);
  const signedProgram = await signPe(signer, program);
  const checks = {
    detached: (keys: typeof trusted) => verifyDetached(data, detached, keys),
    policy: (keys: typeof trusted) => verifyIpePolicy(policy, keys),
    rootHash: (keys: typeof trusted) => verifyRootHashSignature(rootHash, rootSignature, keys),
    dsse: (keys: typeof trusted) => verifyDsse(envelope, keys),
    pe: (keys: typeof trusted) => verifyPe(signedProgram, keys),
  };
  for (const [name, check] of Object.entries(checks)) {
    const passed = check(trusted);
    assert.ok(passed.verdict === 'pass', name);
    assert.equal(passed.keyId, signer.keyId);
    assert.equal(check([...foreign, ...trusted]).verdict, 'pass', name);
    assert.equal(check(foreign).verdict, 'fail', name);
    assert.equal(check([]).verdict, 'unknown', name);
  }
});

test('a flipped byte of what was signed makes every kind of signature fail', async () => {
  const data = encodeText('0123456789abcdef *plinth_1.efi\n');
  const detached = await signDetached(signer, data);
  const rootSignature = await signRootHash(signer, rootHash);
  const envelope = await signDsse(signer, 'text/plain', data);
  fc.assert(
    fc.property(fc.nat(data.length - 1), fc.nat(rootHash.length - 1), bits, (at, digit, mask) => {
      const changed = flip(data, at, mask);
      assert.equal(verifyDetached(changed, detached, trusted).verdict, 'fail');
      const payload = Buffer.from(changed).toString('base64');
      assert.equal(verifyDsse({ ...envelope, payload }, trusted).verdict, 'fail');
      const hash =
        rootHash.slice(0, digit) + (rootHash[digit] === '0' ? '1' : '0') + rootHash.slice(digit + 1);
      assert.equal(verifyRootHashSignature(hash, rootSignature, trusted).verdict, 'fail');
    }),
  );
});

test('a flipped byte anywhere in a signed program is refused, outside of what Authenticode leaves out', async () => {
  const signed = await signPe(signer, program);
  // Checksum (0x58 + 64), table entry (0x58 + 144) and the table itself are not part of the program.
  const covered = fc.nat(program.length - 1).filter((at) => {
    return !(at >= 0x98 && at < 0x9c) && !(at >= 0xe8 && at < 0xf0);
  });
  fc.assert(
    fc.property(covered, bits, (at, mask) => {
      assert.equal(verifyPe(flip(signed, at, mask), trusted).verdict, 'fail', `byte ${at}`);
    }),
    { numRuns: 300 },
  );
  assert.equal(verifyPe(program, trusted).verdict, 'fail');
});

test('damaged signatures give a verdict, never an exception, and never pass for another key', async () => {
  const data = encodeText('data');
  const good = await signDetached(signer, data);
  fc.assert(
    fc.property(fc.nat(good.length), fc.nat(good.length - 1), bits, (length, at, mask) => {
      const bad = flip(good, at, mask).subarray(0, length);
      assert.notEqual(verifyDetached(data, bad, foreign).verdict, 'pass');
      verifyDetached(data, bad, trusted);
    }),
    { numRuns: 1000 },
  );
  assert.equal(verifyDetached(data, good.subarray(0, -1), trusted).verdict, 'fail');
  assert.equal(verifyDetached(data, new Uint8Array(), trusted).verdict, 'fail');
});

test('signing twice gives the same bytes', async () => {
  const data = encodeText('data');
  assert.deepEqual(await signDetached(signer, data), await signDetached(signer, data));
  assert.deepEqual(await signPe(signer, program), await signPe(signer, program));
  assert.deepEqual(await signRootHash(signer, rootHash), await signRootHash(signer, rootHash));
});

test('a program may carry signatures of two keys while a rotation is under way', async () => {
  const both = await signPe(stranger, await signPe(signer, program));
  assert.equal(readCertificates(both).length, 2);
  assert.equal(verifyPe(both, trusted).verdict, 'pass');
  assert.equal(verifyPe(both, foreign).verdict, 'pass');
});

test('the DSSE pre-authentication encoding is that of its specification', () => {
  const encoded = preAuthEncoding('http://example.com/HelloWorld', encodeText('hello world'));
  assert.equal(Buffer.from(encoded).toString(), 'DSSEv1 29 http://example.com/HelloWorld 11 hello world');
});

test('parseDsse gives back envelopes and refuses what is none', async () => {
  const envelope = await signDsse(signer, 'text/plain', encodeText('x'));
  assert.deepEqual(parseDsse(JSON.stringify(envelope)), envelope);
  for (const text of [
    '',
    'null',
    '{}',
    '{"payloadType":1,"payload":"","signatures":[]}',
    '{"signatures":[1]}',
  ]) {
    assert.equal(parseDsse(text), undefined);
  }
  fc.assert(fc.property(fc.json(), (text) => assert.equal(parseDsse(text), undefined)));
  assert.equal(verifyDsse({ ...envelope, signatures: [] }, trusted).verdict, 'fail');
});

test('PCR policies are signed over the policy of the predicted value', async () => {
  const predictions = predictPcr11(new Map([['.linux', encodeText('kernel')]]));
  const parsed: unknown = JSON.parse(await signPcrPolicies(signer, predictions));
  const expected = await Promise.all(
    predictions.map(async ({ value }) => ({
      pcrs: [11],
      pkfp: createHash('sha256')
        .update(signer.certificate.publicKey.export({ type: 'pkcs1', format: 'der' }))
        .digest('hex'),
      pol: hex(pcrPolicyDigest(11, value)),
      sig: Buffer.from(await signer.sign(pcrPolicyDigest(11, value))).toString('base64'),
    })),
  );
  assert.deepEqual(parsed, { sha256: expected });
  assert.match(pcrPublicKeyPem(signer), /^-----BEGIN PUBLIC KEY-----\n/);
});

test('a signed key variable starts with its time and ends with its content', async () => {
  const content = encodeText('signature lists');
  const auth = await signEfiVariable(signer, 'db', content, new Date('2026-11-21T10:20:30Z'));
  assert.deepEqual(
    auth.subarray(0, 16),
    Uint8Array.of(0xea, 0x07, 11, 21, 10, 20, 30, 0, 0, 0, 0, 0, 0, 0, 0, 0),
  );
  assert.deepEqual(auth.subarray(-content.length), content);
  const length = new DataView(auth.buffer).getUint32(16, true);
  assert.equal(auth.length, 16 + length + content.length);
  assert.notDeepEqual(
    auth,
    concatBytes([await signEfiVariable(signer, 'dbx', content, new Date('2026-11-21T10:20:30Z'))]),
  );
});

test('a signed IPE policy carries its text, and openssl finds it signed by that key alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-policy-'));
  try {
    const text = 'policy_name=plinth policy_version=1.0.0\nDEFAULT action=DENY\n';
    const policy = join(folder, 'plinth.p7b');
    await writeFile(policy, await signIpePolicy(signer, text));
    await writeFile(join(folder, 'signer.pem'), signer.certificatePem);
    await writeFile(join(folder, 'stranger.pem'), stranger.certificatePem);
    const read = (who: string) => {
      const certificate = join(folder, `${who}.pem`);
      const trust = ['-certfile', certificate, '-CAfile', certificate, '-partial_chain', '-purpose', 'any'];
      return execFileSync(
        'openssl',
        ['cms', '-verify', '-binary', '-inform', 'der', '-in', policy, ...trust],
        {
          encoding: 'utf8',
          stdio: 'pipe',
        },
      );
    };
    assert.equal(read('signer'), text);
    assert.throws(() => read('stranger'));
  } finally {
    await rm(folder, { recursive: true });
  }
});
