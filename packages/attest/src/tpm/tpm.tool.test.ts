import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { hex, sha256 } from '@plinth/formats';
import { openToolbox } from '@plinth/toolbox';
import { type SoftTpm, startSoftTpm } from '../testing/soft-tpm.ts';
import { makeCredential } from './make-credential.ts';
import { isAttestationKey, isEndorsementKey, readPublicArea } from './public-area.ts';
import { isSignedBy, readQuote } from './quote.ts';

let soft: SoftTpm;
let other: SoftTpm;

before(async () => {
  const toolbox = await openToolbox();
  [soft, other] = await Promise.all([startSoftTpm(toolbox), startSoftTpm(toolbox)]);
});
after(async () => {
  await soft[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

test('a real TPM makes the same keys each time, and they are what they should be', async () => {
  const [first, second] = [await soft.tpm.createAk(), await soft.tpm.createAk()];
  assert.equal(hex(first.publicArea), hex(second.publicArea));
  const ak = readPublicArea(first.publicArea);
  assert.ok(isAttestationKey(ak));
  assert.ok(!isEndorsementKey(ak));
  const ek = await soft.tpm.createEk();
  assert.ok(isEndorsementKey(readPublicArea(ek.publicArea)));
  for (const { handle } of [first, second, ek]) await soft.tpm.flush(handle);
  assert.equal(await soft.tpm.readEkCertificate(), undefined);
});

test('a quote is signed by the key, over the nonce and the registers, and by nothing else', async () => {
  const ak = await soft.tpm.createAk();
  const nonce = randomBytes(32);
  const pcrs = [0, 4, 7, 15];
  const { quoted, signature } = await soft.tpm.quote(ak, nonce, pcrs);
  const area = readPublicArea(ak.publicArea);
  assert.ok(isSignedBy(area, quoted, signature));
  const quote = readQuote(quoted);
  assert.equal(hex(quote.extraData), hex(nonce));
  assert.deepEqual(quote.pcrs, pcrs);
  // Nothing was measured: all registers are zeros.
  assert.equal(hex(quote.pcrDigest), hex(sha256(new Uint8Array(32 * pcrs.length))));
  const changed = quoted.slice();
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  assert.ok(!isSignedBy(area, changed, signature));
  const foreign = await other.tpm.createAk();
  assert.ok(!isSignedBy(readPublicArea(foreign.publicArea), quoted, signature));
  await soft.tpm.flush(ak.handle);
  await other.tpm.flush(foreign.handle);
});

test('a credential opens on the TPM that has both keys, and on no other', async () => {
  const [ek, ak] = [await soft.tpm.createEk(), await soft.tpm.createAk()];
  const secret = randomBytes(32);
  const credential = makeCredential(
    readPublicArea(ek.publicArea),
    readPublicArea(ak.publicArea).name,
    secret,
    randomBytes(32),
  );
  const opened = await soft.tpm.activateCredential({ ek, ak }, credential, randomBytes(16));
  assert.equal(hex(opened), hex(secret));
  const foreign = { ek: await other.tpm.createEk(), ak: await other.tpm.createAk() };
  await assert.rejects(other.tpm.activateCredential(foreign, credential, randomBytes(16)), {
    code: 'attest/tpm-refused',
  });
  // The same TPM, but made for another attestation key.
  const name = readPublicArea(foreign.ak.publicArea).name;
  const forOther = makeCredential(readPublicArea(ek.publicArea), name, secret, randomBytes(32));
  await assert.rejects(soft.tpm.activateCredential({ ek, ak }, forOther, randomBytes(16)), {
    code: 'attest/tpm-refused',
  });
});
