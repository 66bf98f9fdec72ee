import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AdvisoryRecord } from '../../model/index.ts';
import { generatedRecord } from '../testing/generated-records.ts';
import { opensslRecord, sampleRecords } from '../testing/sample-records.ts';
import { factsOf } from './facts.ts';
import { productIdOfPurl, productPurl } from './product-id.ts';
import { formatRecord, parseRecord } from './read-record.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (record: unknown) => parseRecord(bytes(JSON.stringify(record)), 'test.json');

test('records that are written are read back whole', () => {
  for (const record of sampleRecords) assert.deepEqual(read(record), record);
  fc.assert(
    fc.property(generatedRecord(1), (record) => {
      assert.deepEqual(parseRecord(bytes(formatRecord(record)), 'test'), record);
    }),
  );
});

test('a record that contradicts itself is refused', () => {
  const [first, second] = opensslRecord.statuses;
  assert.ok(first && second);
  const wrong: readonly (readonly [Partial<AdvisoryRecord>, RegExp])[] = [
    [{ statuses: [first, first] }, /two statuses/],
    [{ statuses: [first, { ...second, verdict: 'open' }] }, /said to have the fix, and to be open/],
    [{ statuses: [{ ...first, product: 'plinth_9_x86-64' }] }, /not listed/],
    [{ statuses: [{ ...first, verdict: 'not-affected' }] }, /without a justification/],
    [{ statuses: [{ ...second, justification: 'component_not_present' }] }, /with a justification/],
    [{ revisions: [] }, /revisions/],
    [{ revisions: opensslRecord.revisions.toReversed() }, /stands at place/],
    [{ modifiedAt: '2030-01-01T00:00:00Z' }, /not modified at its last revision/],
    [{ products: opensslRecord.products.map((product) => ({ ...product, version: '7' })) }, /has version 7/],
  ];
  for (const [change, message] of wrong)
    assert.throws(() => read({ ...opensslRecord, ...change }), { code: 'advisory/record-invalid', message });
});

test('ids with markup, paths and control characters are no ids', () => {
  for (const id of ['CVE-2026-1<b>', '../../../x', 'CVE-2026-1234\n', '', 'PLSA-1'])
    assert.throws(() => read({ ...opensslRecord, id }), { code: 'advisory/record-invalid' });
  const vulnerability = { id: '<script>', aliases: [], state: 'active' };
  assert.throws(() => read({ ...opensslRecord, vulnerability }), { code: 'advisory/record-invalid' });
  assert.throws(() => read({ ...opensslRecord, title: 'a\u0007' }), { code: 'advisory/record-invalid' });
  assert.throws(() => read({ ...opensslRecord, unknown: 1 }), { code: 'advisory/record-invalid' });
});

test('limits come before parsing', () => {
  const refused = { code: 'advisory/document-refused' };
  assert.throws(() => parseRecord(new Uint8Array(17 * 1024 * 1024), 'x'), refused);
  assert.throws(() => parseRecord(bytes('['.repeat(1_000_000)), 'x'), refused);
  assert.throws(() => parseRecord(bytes(`[${'0,'.repeat(600_000)}0]`), 'x'), refused);
  assert.throws(() => parseRecord(Uint8Array.of(0x7b, 0xff, 0x7d), 'x'), refused);
  assert.throws(() => parseRecord(Uint8Array.of(0x1f, 0x8b, 8), 'x'), refused);
  assert.throws(() => parseRecord(bytes('{"a":1'), 'x'), refused);
});

test('product ids become package URLs and come back', () => {
  const version = fc.stringMatching(/^[A-Za-z0-9.~^+-]{1,20}$/);
  fc.assert(
    fc.property(version, fc.constantFrom('x86-64', 'arm64'), (at, architecture) => {
      const id = `plinth_${at}_${architecture}`;
      assert.equal(productIdOfPurl(productPurl(id)), id);
    }),
  );
  assert.equal(productPurl('plinth_0.1.1_x86-64'), 'pkg:generic/plinth@0.1.1?arch=x86-64');
  for (const purl of ['pkg:deb/debian/zlib@1', 'pkg:generic/plinth@%', 'pkg:generic/a/b@1?arch=x'])
    assert.equal(productIdOfPurl(purl), undefined);
});

test('facts do not depend on the order of what they were made from', () => {
  assert.deepEqual(factsOf(sampleRecords), factsOf(sampleRecords.toReversed()));
  assert.equal(factsOf(sampleRecords).length, 11);
});
