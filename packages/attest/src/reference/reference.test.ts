import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordedBoot } from '../testing/recorded-boot.ts';
import { formatReference, parseReference, type Reference } from './reference.ts';

const { reference } = recordedBoot();

test('reference values survive a round trip, byte for byte', () => {
  const text = formatReference(reference);
  assert.equal(formatReference(parseReference(text, 'x')), text);
});

test('a reference that would let anything pass is none', () => {
  const refused = (registers: Reference['registers']) =>
    assert.throws(() => parseReference(JSON.stringify({ ...reference, registers }), 'x'), {
      code: 'attest/reference-invalid',
    });
  refused([]);
  for (const { pcr } of reference.registers) {
    refused(reference.registers.filter((each) => each.pcr !== pcr));
  }
  for (const pcr of [4, 7, 9, 11]) {
    refused(reference.registers.map((each) => (each.pcr === pcr ? { ...each, events: [] } : each)));
  }
  refused([...reference.registers, ...reference.registers.slice(0, 1)]);
});

test('what is not reference values is refused with its place', () => {
  for (const text of ['', '{}', '[]', 'null', '{"format":2}', ' '.repeat(300_000)]) {
    assert.throws(() => parseReference(text, 'x'), { code: 'attest/reference-invalid' });
  }
  const wrong = { ...reference, rootHash: 'AB' };
  assert.throws(() => parseReference(JSON.stringify(wrong), 'x'), { message: /rootHash is not valid/ });
});
