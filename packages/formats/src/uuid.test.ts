import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hexUuid, seededUuid } from './uuid.ts';

test('hexUuid groups 32 digits and leaves off what follows', () => {
  assert.equal(hexUuid('00112233445566778899AABBCCDDEEFF'), '00112233-4455-6677-8899-aabbccddeeff');
  assert.equal(hexUuid(`${'0'.repeat(32)}ff`), '00000000-0000-0000-0000-000000000000');
});

test('seededUuid is of version 8 and its variant, and stays what it was', () => {
  // printf %s 'plinth empty slot a root' | sha256sum, with the bits of version and variant.
  assert.equal(seededUuid('plinth empty slot a root'), '3f71edaf-5498-8910-9ea8-74e66e222e12');
  const form = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  fc.assert(fc.property(fc.string(), (text) => assert.match(seededUuid(text), form)));
});
