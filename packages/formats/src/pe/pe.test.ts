import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { encodeText, hex } from '../bytes.ts';
import { addPeSection } from './add-pe-section.ts';
import { authenticodeDigest } from './authenticode-digest.ts';
import { attachCertificate, readCertificates, removeCertificates } from './certificate-table.ts';
import { buildPe } from './pe-builder.testing.ts';
import { peSectionBytes, readPe, readPeHead } from './read-pe.ts';
import { readUki } from './read-uki.ts';

const partsArbitrary = fc.uniqueArray(
  fc.record(
    { name: fc.stringMatching(/^\.[a-z]{1,7}$/), data: fc.uint8Array({ maxLength: 1500 }) },
    { noNullPrototype: true },
  ),
  { selector: (part) => part.name, maxLength: 6 },
);
const programArbitrary = fc
  .tuple(partsArbitrary, fc.uint8Array({ maxLength: 20 }))
  .map(([parts, trailing]) => ({ parts, bytes: buildPe(parts, { trailing }) }));
const pkcs7Arbitrary = fc.uint8Array({ minLength: 1, maxLength: 100 });

test('readPe gives back the sections a file was built from', () => {
  fc.assert(
    fc.property(programArbitrary, ({ parts, bytes }) => {
      const file = readPe(bytes);
      assert.deepEqual(
        file.sections.map((section) => ({ name: section.name, data: peSectionBytes(file, section) })),
        parts,
      );
    }),
  );
});

test('readPeHead says the same from the headers alone, and no less than all of them', () => {
  fc.assert(
    fc.property(programArbitrary, pkcs7Arbitrary, ({ bytes }, pkcs7) => {
      const signed = attachCertificate(bytes, pkcs7);
      const { view: _, ...head } = readPe(signed);
      assert.deepEqual(readPeHead(signed.subarray(0, head.headersSizeBytes)), head);
      const count = head.sections.length;
      // The last thing that is read of a section's 40 bytes is where it lies, up to byte 24.
      const end = count > 0 ? head.sectionTableOffset + 40 * count - 16 : head.certificateEntryOffset + 8;
      assert.throws(() => readPeHead(signed.subarray(0, end - 1)), { code: 'formats/truncated' });
    }),
  );
});

test('signatures come and go without a change of the digest', () => {
  fc.assert(
    fc.property(programArbitrary, pkcs7Arbitrary, pkcs7Arbitrary, ({ bytes }, first, second) => {
      const digest = hex(authenticodeDigest(bytes));
      const signed = attachCertificate(attachCertificate(bytes, first), second);
      assert.equal(hex(authenticodeDigest(signed)), digest);
      assert.deepEqual(readCertificates(signed), [first, second]);
      const bare = removeCertificates(signed);
      assert.equal(hex(authenticodeDigest(bare)), digest);
      assert.deepEqual(readCertificates(bare), []);
      assert.deepEqual(removeCertificates(bare), bare);
    }),
  );
});

test('the digest covers every byte but checksum and certificate table', () => {
  const bytes = buildPe([{ name: '.text', data: encodeText('code') }], { trailing: encodeText('tail') });
  const digest = hex(authenticodeDigest(bytes));
  const { checksumOffset, certificateEntryOffset } = readPe(bytes);
  const exempt = (at: number) =>
    (at >= checksumOffset && at < checksumOffset + 4) ||
    (at >= certificateEntryOffset && at < certificateEntryOffset + 8);
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.with(at, (bytes[at] ?? 0) ^ 1);
    let outcome: string;
    try {
      outcome = hex(authenticodeDigest(changed));
    } catch (error) {
      assert.ok(error instanceof PlinthError);
      continue;
    }
    if (!exempt(at)) assert.notEqual(outcome, digest, `byte ${at}`);
  }
});

test('addPeSection adds a section and leaves the others as they are', () => {
  const data = fc.uint8Array({ minLength: 1, maxLength: 1500 });
  fc.assert(
    fc.property(partsArbitrary, data, (parts, content) => {
      const before = [
        { name: '.text', data: encodeText('code') },
        ...parts.filter(({ name }) => name !== '.text'),
      ];
      const file = readPe(addPeSection(buildPe(before), '.PCRSIG', content));
      assert.deepEqual(
        file.sections.map((section) => ({ name: section.name, data: peSectionBytes(file, section) })),
        [...before, { name: '.PCRSIG', data: content }],
      );
      const addresses = file.sections.map(({ virtualAddress }) => virtualAddress);
      assert.deepEqual(
        addresses,
        addresses.toSorted((left, right) => left - right),
      );
    }),
  );
  const bytes = buildPe([{ name: '.text', data: encodeText('code') }]);
  const refused = { code: 'formats/pe-invalid' };
  const fill = () => {
    let filled = bytes;
    for (let count = 0; count < 20; count++) filled = addPeSection(filled, `.s${count}`, encodeText('x'));
  };
  assert.throws(fill, { ...refused, message: /headers are full/ });
  assert.throws(() => addPeSection(bytes, '.text', encodeText('x')), refused);
  assert.throws(() => addPeSection(bytes, '.much-too-long', encodeText('x')), refused);
  assert.throws(
    () => addPeSection(attachCertificate(bytes, encodeText('s')), '.pcrsig', encodeText('x')),
    refused,
  );
});

test('readUki gives texts without their NULs and refuses doubled sections', () => {
  const parts = [
    { name: '.linux', data: encodeText('kernel') },
    { name: '.cmdline', data: encodeText('ro quiet') },
    { name: '.sbat', data: encodeText('sbat,1\n\0') },
  ];
  const uki = readUki(buildPe(parts));
  assert.equal(uki.cmdline, 'ro quiet');
  assert.equal(uki.sbat, 'sbat,1\n');
  assert.equal(uki.initrd, undefined);
  assert.deepEqual(uki.sections.get('.linux'), encodeText('kernel'));
  assert.throws(() => readUki(buildPe([...parts, ...parts])), { code: 'formats/pe-invalid' });
  assert.throws(() => readUki(buildPe([])), { code: 'formats/pe-invalid' });
});

test('damage and truncation give a value or a coded error', () => {
  const good = attachCertificate(
    buildPe([{ name: '.linux', data: encodeText('kernel') }]),
    encodeText('signature'),
  );
  const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.nat(good.length), damage, (length, changes) => {
      const bad = good.slice();
      for (const [offset, value] of changes) bad[offset] = value;
      for (const read of [authenticodeDigest, readCertificates, readUki, removeCertificates]) {
        try {
          read(bad.subarray(0, length));
        } catch (error) {
          assert.ok(error instanceof PlinthError && error.code.startsWith('formats/'), String(error));
        }
      }
    }),
    { numRuns: 1000 },
  );
  assert.throws(() => readPe(good.subarray(0, good.length - 8)), { code: 'formats/truncated' });
  assert.throws(() => readPe(encodeText('not a program at all, but long enough to look at')), {
    code: 'formats/pe-invalid',
  });
});

test('a Buffer given in stays as it was', () => {
  const signed = Buffer.from(attachCertificate(buildPe([]), encodeText('signature')));
  const before = Buffer.from(signed);
  removeCertificates(signed);
  attachCertificate(signed, encodeText('another'));
  assert.deepEqual(signed, before);
});
