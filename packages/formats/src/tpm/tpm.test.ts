import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeText, hex, sha256 } from '../bytes.ts';
import { decodeGuid, encodeGuid } from '../efi/guid.ts';
import { encodeSignatureLists, readSignatureLists } from '../efi/signature-list.ts';
import { buildPe } from '../pe/pe-builder.testing.ts';
import { extendPcr, PCR_RESET } from './pcr.ts';
import { encodePcrSignatures, pcrPolicyDigest } from './pcr-policy.ts';
import { predictPcr4 } from './predict-pcr4.ts';
import { predictPcr7 } from './predict-pcr7.ts';
import { predictPcr11 } from './predict-pcr11.ts';

const sections = new Map(
  ['.sbat', '.cmdline', '.linux', '.osrel', '.initrd', '.uname', '.pcrpkey'].map((name) => [
    name,
    encodeText(`${name} content`),
  ]),
);

test('predictPcr11 agrees with systemd-measure 257 on the same sections', () => {
  // systemd-measure calculate --bank=sha256 over files that hold "<section name> content".
  assert.deepEqual(
    predictPcr11(sections).map(({ phase, value }) => [phase, hex(value)]),
    [
      ['enter-initrd', '667742fb9372d387b341922633d8c1de5b68be9f0902c697206421a57c94babe'],
      ['enter-initrd:leave-initrd', '8b037f07f4b3bcdcaa89eff78813e4565d56f1d6f5ed035ec14736151313f6af'],
      [
        'enter-initrd:leave-initrd:sysinit',
        '4e5b6d8b943887286b226da2e21c473a5e0e33ab774639d3f86525404ae92bef',
      ],
      [
        'enter-initrd:leave-initrd:sysinit:ready',
        'a4c8b03ad4a98bc5e3cc633fe4ec4371b5e72e39c27e9c7db920c48f9381cb9c',
      ],
    ],
  );
});

test('predictPcr11 depends on every measured byte, not on the order or on signatures and code', () => {
  const value = hex(predictPcr11(sections).at(-1)?.value ?? new Uint8Array());
  const last = (changed: ReadonlyMap<string, Uint8Array>) =>
    hex(predictPcr11(changed).at(-1)?.value ?? PCR_RESET);
  assert.equal(last(new Map([...sections].reverse())), value);
  assert.equal(
    last(new Map([...sections, ['.pcrsig', encodeText('{}')], ['.text', encodeText('code')]])),
    value,
  );
  for (const [name, content] of sections) {
    assert.notEqual(last(new Map(sections).set(name, content.with(0, 0))), value, name);
  }
  assert.throws(() => predictPcr11(new Map(sections).set('.dtbauto', encodeText('dtb'))), {
    code: 'formats/pe-invalid',
  });
});

test('pcrPolicyDigest agrees with systemd-measure 257', () => {
  // "pol" of the first phase, by systemd-measure sign over the same files.
  assert.equal(
    hex(pcrPolicyDigest(11, predictPcr11(sections)[0]?.value ?? PCR_RESET)),
    '9fc2fb8ac6d1551e3f5f88d77229af235ed4f6b4619d0616a7988fae93671921',
  );
});

test('encodePcrSignatures writes what systemd reads', () => {
  const text = encodePcrSignatures([
    { pcr: 11, publicKeyFingerprint: 'ab', policyDigest: Uint8Array.of(1), signature: Uint8Array.of(255) },
  ]);
  assert.deepEqual(JSON.parse(text), { sha256: [{ pcrs: [11], pkfp: 'ab', pol: '01', sig: '/w==' }] });
});

test('predictPcr4 measures the inner kernel only where no Secure Boot override hides it', () => {
  const kernel = buildPe([{ name: '.text', data: encodeText('kernel') }]);
  const loader = buildPe([{ name: '.text', data: encodeText('loader') }]);
  const uki = buildPe([{ name: '.linux', data: kernel }]);
  const [secure, open] = [true, false].map((secureBoot) => predictPcr4({ loader, uki, secureBoot }));
  assert.ok(secure && open);
  assert.notEqual(hex(secure), hex(open));
});

test('predictPcr7 depends on each part of the Secure Boot state', () => {
  const signature = {
    ownerGuid: '8be4df61-93ca-11d2-aa0d-00e098032b8c',
    certificateDer: encodeText('certificate'),
  };
  const list = encodeSignatureLists([signature]);
  const state = {
    enabled: true,
    pk: list,
    kek: list,
    db: list,
    dbx: new Uint8Array(),
    authorities: [signature],
  };
  const variants = [
    state,
    { ...state, enabled: false },
    { ...state, pk: new Uint8Array() },
    { ...state, kek: new Uint8Array() },
    { ...state, db: new Uint8Array() },
    { ...state, dbx: list },
    { ...state, authorities: [] },
  ].map((variant) => hex(predictPcr7(variant)));
  assert.equal(new Set(variants).size, variants.length);
});

test('GUIDs and signature lists survive a round trip', () => {
  assert.equal(hex(encodeGuid('c12a7328-f81f-11d2-ba4b-00a0c93ec93b')), '28732ac11ff8d211ba4b00a0c93ec93b');
  const signature = fc.record(
    { ownerGuid: fc.uuid(), certificateDer: fc.uint8Array({ minLength: 1, maxLength: 40 }) },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(signature, { maxLength: 5 }), (signatures) => {
      assert.deepEqual(readSignatureLists(encodeSignatureLists(signatures)), signatures);
      for (const { ownerGuid } of signatures) assert.equal(decodeGuid(encodeGuid(ownerGuid)), ownerGuid);
    }),
  );
  assert.throws(() => readSignatureLists(new Uint8Array(27)), { code: 'formats/truncated' });
  assert.throws(() => readSignatureLists(new Uint8Array(28)), { code: 'formats/limit' });
});

test('extendPcr hashes old value and digest', () => {
  assert.equal(hex(extendPcr(PCR_RESET, PCR_RESET)), hex(sha256(new Uint8Array(64))));
});
