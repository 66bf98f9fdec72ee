import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { concatBytes, hex } from '@plinth/formats';
import fc from 'fast-check';
import { paperTpm } from '../testing/paper-tpm.ts';
import { runCommand } from './command.ts';
import { ATTRIBUTE, COMMAND } from './constants.ts';
import { makeCredential } from './make-credential.ts';
import { encodePcrSelection, readPcrSelection } from './pcr-selection.ts';
import { isAttestationKey, isEndorsementKey, readPublicArea } from './public-area.ts';
import { isSignedBy, readQuote } from './quote.ts';
import { TpmReader } from './tpm-reader.ts';
import { sized, u16, u32 } from './tpm-writer.ts';

const tpm = paperTpm();

test('selections of registers survive a round trip', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: 23 })), (indices) => {
      const sorted = [...indices].sort((a, b) => a - b);
      const reader = new TpmReader(encodePcrSelection(indices), 'selection');
      assert.deepEqual(readPcrSelection(reader), sorted);
      reader.end();
    }),
  );
});

test('a key that could sign what somebody wrote is no attestation key', () => {
  const area = readPublicArea(tpm.akPublic);
  assert.ok(isAttestationKey(area));
  for (const bit of [
    ATTRIBUTE.fixedTpm,
    ATTRIBUTE.restricted,
    ATTRIBUTE.sensitiveDataOrigin,
    ATTRIBUTE.sign,
  ]) {
    assert.ok(!isAttestationKey({ ...area, attributes: area.attributes & ~bit }), String(bit));
  }
  assert.ok(!isAttestationKey({ ...area, attributes: area.attributes | ATTRIBUTE.decrypt }));
  const ek = readPublicArea(tpm.ekPublic);
  assert.ok(isEndorsementKey(ek));
  assert.ok(!isEndorsementKey({ ...ek, attributes: ek.attributes | ATTRIBUTE.sign }));
});

test('a credential opens with its own keys, and every change of it is seen', () => {
  const [ek, ak] = [readPublicArea(tpm.ekPublic), readPublicArea(tpm.akPublic)];
  const secret = new Uint8Array(randomBytes(32));
  const credential = makeCredential(ek, ak.name, secret, randomBytes(32));
  assert.equal(hex(tpm.activate(credential) ?? new Uint8Array()), hex(secret));
  const otherName = makeCredential(ek, readPublicArea(paperTpm().akPublic).name, secret, randomBytes(32));
  assert.equal(tpm.activate(otherName), undefined);
  const blob = credential.blob.slice();
  blob[blob.length - 1] = (blob.at(-1) ?? 0) ^ 1;
  assert.equal(tpm.activate({ ...credential, blob }), undefined);
});

test('any bytes are read as a structure or refused with a code', () => {
  const area = readPublicArea(tpm.akPublic);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const read of [readPublicArea, readQuote, (of: Uint8Array) => isSignedBy(area, bytes, of)]) {
        try {
          read(bytes);
        } catch (reason) {
          assert.ok(reason instanceof PlinthError, String(reason));
        }
      }
    }),
  );
});

const FLUSH = { name: 'flushContext', code: COMMAND.flushContext, parameters: [] } as const;
const answer = (code: number) => concatBytes([u16(0x8001), u32(10), u32(code)]);

test('a TPM that is busy is asked again, a refusal has its code, an answer of another length is none', async () => {
  let asked = 0;
  await runCommand(async () => answer(asked++ < 2 ? 0x922 : 0), FLUSH);
  assert.equal(asked, 3);
  await assert.rejects(
    runCommand(async () => answer(0x9a2), FLUSH),
    { code: 'attest/tpm-refused', message: /0x9a2, the hierarchy has a password/ },
  );
  await assert.rejects(
    runCommand(async () => concatBytes([answer(0), sized()]), FLUSH),
    { code: 'attest/structure-invalid' },
  );
  await assert.rejects(
    runCommand(async () => new Uint8Array(3), FLUSH),
    { code: 'formats/truncated' },
  );
});
