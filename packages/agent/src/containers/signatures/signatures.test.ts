import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { imageStatement, makeImageSigner } from '../testing/sign-image.ts';
import { signatureName } from './fetch-signatures.ts';
import { judgeSignatures } from './judge-signatures.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const OTHER = `sha256:${'cd'.repeat(32)}`;
const owner = makeImageSigner();
const stranger = makeImageSigner();
const keys = [stranger.publicKey, owner.publicKey];

test('an image is signed by whoever is named, whatever other signatures there are', () => {
  assert.equal(judgeSignatures([owner.sign(DIGEST)], DIGEST, [owner.publicKey]), undefined);
  assert.equal(
    judgeSignatures([stranger.sign(DIGEST), owner.sign(DIGEST)], DIGEST, [owner.publicKey]),
    undefined,
  );
  assert.equal(judgeSignatures([owner.sign(OTHER), owner.sign(DIGEST)], DIGEST, keys), undefined);
});

test('keys of the other kinds count too', () => {
  const payload = imageStatement(DIGEST);
  for (const [kind, hash] of [
    ['ed25519', null],
    ['rsa', 'sha256'],
  ] as const) {
    const { privateKey, publicKey } =
      kind === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519');
    const signature = sign(hash, payload, privateKey);
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    assert.equal(judgeSignatures([{ payload, signature }], DIGEST, [pem]), undefined, kind);
  }
});

test("no signature, a stranger's, one of another image and one of something else are told apart", () => {
  const told = (signatures: Parameters<typeof judgeSignatures>[0]) =>
    judgeSignatures(signatures, DIGEST, [owner.publicKey]) ?? 'signed';
  assert.match(told([]), /no signature/);
  assert.match(told([stranger.sign(DIGEST)]), /by none of the keys/);
  assert.match(told([stranger.sign(DIGEST), stranger.sign(DIGEST)]), /its 2 signatures are by none/);
  assert.match(told([owner.sign(OTHER)]), /of another image/);
  const payload = Buffer.from(JSON.stringify({ critical: { type: 'atomic container signature' } }));
  assert.match(told([{ ...owner.sign(DIGEST), payload }]), /by none of the keys/);
});

test('no change of what was signed, or of the signature, goes through', () => {
  const good = owner.sign(DIGEST);
  const flip = (bytes: Buffer, at: number, bit: number) => {
    const other = Buffer.from(bytes);
    const index = at % other.length;
    other.writeUInt8(other.readUInt8(index) ^ (1 << bit), index);
    return other;
  };
  fc.assert(
    fc.property(fc.nat(10_000), fc.nat(7), fc.boolean(), (at, bit, ofPayload) => {
      const changed = ofPayload
        ? { ...good, payload: flip(good.payload, at, bit) }
        : { ...good, signature: flip(good.signature, at, bit) };
      assert.notEqual(judgeSignatures([changed], DIGEST, [owner.publicKey]), undefined);
    }),
    { numRuns: 300 },
  );
});

test('a signature stands beside its image, by its digest; the tag that is for people does not count', () => {
  const name = `registry.example:5000/team/tools:sha256-${'ab'.repeat(32)}.sig`;
  assert.equal(signatureName(`registry.example:5000/team/tools@${DIGEST}`), name);
  assert.equal(signatureName(`registry.example:5000/team/tools:1.4@${DIGEST}`), name);
  assert.throws(() => signatureName('registry.example/tools:1'), { code: 'containers/image-invalid' });
});
