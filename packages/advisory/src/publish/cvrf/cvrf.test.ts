import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { factsOf } from '../record/facts.ts';
import { generatedRecords } from '../testing/generated-records.ts';
import { samplePublisher } from '../testing/oracles.ts';
import { sampleRecords } from '../testing/sample-records.ts';
import { childOf, childrenOf, readXml, textOf } from '../xml/read-xml.ts';
import { readCvrfJson, readCvrfXml } from './read-cvrf.ts';
import { cvrfDocuments, readUpdates, writeUpdatesJson, writeUpdatesXml } from './updates.ts';
import { writeCvrfJson } from './write-cvrf-json.ts';
import { writeCvrfXml } from './write-cvrf-xml.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

test('a month reads back to the same facts, as XML and as JSON', () => {
  fc.assert(
    fc.property(fc.oneof(fc.constant(sampleRecords), generatedRecords), (records) => {
      const documents = cvrfDocuments(records, samplePublisher);
      const facts = factsOf(records);
      const order = (all: readonly { readonly advisory: string }[]) =>
        all.toSorted((left, right) => (left.advisory < right.advisory ? -1 : 1));
      assert.deepEqual(
        order(documents.flatMap((document) => readCvrfXml(bytes(writeCvrfXml(document)), 'x'))),
        facts,
      );
      assert.deepEqual(
        order(documents.flatMap((document) => readCvrfJson(bytes(writeCvrfJson(document)), 'x'))),
        facts,
      );
    }),
  );
});

test('the JSON has what readers of the API ask for, by its numbers', () => {
  const [month] = cvrfDocuments(sampleRecords, samplePublisher);
  assert.ok(month);
  const data = JSON.parse(writeCvrfJson(month));
  assert.equal(data.DocumentTracking.Identification.ID.Value, '2026-Nov');
  assert.equal(data.DocumentTitle.Value, 'November 2026 Security Updates');
  const [openssl] = data.Vulnerability;
  assert.equal(openssl.CVE, 'CVE-2026-42772');
  const affected = openssl.ProductStatuses.find(({ Type }: { Type: number }) => Type === 3).ProductID;
  assert.equal(affected[0], 'plinth_0.1.0_x86-64');
  const named = (id: string) =>
    data.ProductTree.FullProductName.find(({ ProductID }: { ProductID: string }) => ProductID === id).Value;
  assert.equal(named(affected[0]), 'Plinth 0.1.0 (x86-64)');
  assert.equal(named(affected[1]), 'openssl 3.5.7-1~deb13u2 on Plinth 0.1.0 (x86-64)');
  const severity = openssl.Threats.find(({ Type }: { Type: number }) => Type === 3);
  assert.equal(severity.Description.Value, 'Important');
  assert.equal(openssl.CVSSScoreSets[0].BaseScore, 7.5);
  assert.equal(
    openssl.Remediations.find(({ Type }: { Type: number }) => Type === 2).RestartRequired.Value,
    'Yes',
  );
});

test('the XML names only products it lists, and keeps the order of the schema', () => {
  const [month] = cvrfDocuments(sampleRecords, samplePublisher);
  assert.ok(month);
  const root = readXml(writeCvrfXml(month), 'x');
  const listed = new Set(
    childrenOf(childOf(root, 'ProductTree'), 'FullProductName').map((name) => name.attributes['ProductID']),
  );
  const vulnerabilities = childrenOf(root, 'Vulnerability');
  assert.equal(vulnerabilities.length, sampleRecords.length);
  const order = [
    'Title',
    'ID',
    'Notes',
    'CVE',
    'CWE',
    'ProductStatuses',
    'Threats',
    'CVSSScoreSets',
    'Remediations',
    'References',
  ];
  for (const vulnerability of vulnerabilities) {
    const places = vulnerability.elements.map(({ name }) => order.indexOf(name));
    assert.ok(!places.includes(-1));
    assert.deepEqual(
      places,
      places.toSorted((left, right) => left - right),
    );
    for (const status of childrenOf(childOf(vulnerability, 'ProductStatuses'), 'Status'))
      for (const { text } of childrenOf(status, 'ProductID')) assert.ok(listed.has(text), text);
  }
});

test('the list of months leads to the documents', () => {
  const documents = cvrfDocuments(
    sampleRecords.map((record, index) =>
      index === 0 ? { ...record, publishedAt: '2025-12-31T23:59:59Z' } : record,
    ),
    samplePublisher,
  );
  const updates = readUpdates(bytes(writeUpdatesJson(documents, samplePublisher)), 'x');
  assert.deepEqual(
    updates.map(({ id, url }) => [id, url]),
    ['2025-Dec', '2026-Nov'].map((id) => [id, `https://advisories.example/cvrf/v3.0/cvrf/${id}`]),
  );
  const first = childrenOf(readXml(writeUpdatesXml(documents), 'x'), 'Update')[0];
  assert.equal(textOf(first, 'ID'), '2025-Dec');
});

test('readers refuse what is no such document', () => {
  for (const text of ['<a/>', '{}', ''])
    assert.throws(() => readCvrfXml(bytes(text), 'x'), { code: 'advisory/document-refused' });
  for (const text of ['<a/>', '{}', ''])
    assert.throws(() => readCvrfJson(bytes(text), 'x'), { code: 'advisory/document-refused' });
  assert.throws(() => readUpdates(bytes('{}'), 'x'), { code: 'advisory/document-refused' });
});
