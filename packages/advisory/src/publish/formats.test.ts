import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import type { AdvisoryRecord } from '../model/index.ts';
import { atomEntries, readAtom, writeAtom } from './atom/atom.ts';
import { readCycloneDxVex, writeCycloneDxVex } from './cyclonedx/cyclonedx-vex.ts';
import { readAdvisoryPage, writeAdvisoryPage, writeIndexPage } from './html/pages.ts';
import { readOpenVex, writeOpenVex } from './openvex/openvex.ts';
import { readOsv, writeOsv } from './osv/osv.ts';
import { factsOf, sortFacts } from './record/facts.ts';
import { generatedRecords } from './testing/generated-records.ts';
import { samplePublisher as publisher } from './testing/oracles.ts';
import { jqRecord, opensslRecord, sampleRecords } from './testing/sample-records.ts';
import { fixedPackages, readUpdateinfo, writeUpdateinfo } from './updateinfo/updateinfo.ts';
import { readXml, type XmlElement } from './xml/read-xml.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const about = { id: `${publisher.url}/openvex/all.json`, publisher, at: '2026-11-22T06:00:00Z' };
const records = fc.oneof(fc.constant(sampleRecords), generatedRecords);

function everyRecord(check: (all: readonly AdvisoryRecord[]) => void): void {
  fc.assert(fc.property(records, check));
}

test('OpenVEX reads back to the same facts', () => {
  everyRecord((all) => assert.deepEqual(readOpenVex(bytes(writeOpenVex(all, about)), 'x'), factsOf(all)));
  const one = readOpenVex(
    bytes(writeOpenVex(sampleRecords, { ...about, product: 'plinth_0.1.1_arm64' })),
    'x',
  );
  assert.deepEqual(
    one.map(({ id }) => id),
    ['CVE-2026-54875'],
  );
});

test('OpenVEX names what a scanner finds in the image: the release by its digest, and binary packages', () => {
  const { statements } = JSON.parse(writeOpenVex([opensslRecord], about));
  const [product] = statements[0].products;
  assert.deepEqual(
    [product['@id'], product.hashes],
    ['pkg:generic/plinth@0.1.0?arch=x86-64', { 'sha-256': 'a'.repeat(64) }],
  );
  assert.deepEqual(
    product.subcomponents.map((part: { '@id': string }) => part['@id']),
    [
      'pkg:deb/debian/openssl@3.5.7-1~deb13u2?arch=source&distro=trixie',
      // Bills call the distribution "trixie", "debian-13" or nothing.
      'pkg:deb/debian/openssl?arch=source',
      'pkg:deb/debian/libssl3t64',
      'pkg:deb/debian/openssl-provider-legacy',
    ],
  );
});

test('CycloneDX reads back to the same facts', () => {
  everyRecord((all) =>
    assert.deepEqual(readCycloneDxVex(bytes(writeCycloneDxVex(all, about)), 'x'), factsOf(all)),
  );
});

test('OSV reads back to the same facts', () => {
  everyRecord((all) => {
    const facts = all.flatMap((record) => readOsv(bytes(writeOsv(record, publisher)), 'x'));
    assert.deepEqual(sortFacts(facts), factsOf(all));
  });
});

test('pages read back to the same facts', () => {
  everyRecord((all) => {
    const facts = all.flatMap((record) => readAdvisoryPage(bytes(writeAdvisoryPage(record)), 'x'));
    assert.deepEqual(sortFacts(facts), factsOf(all));
  });
});

test('the index of updates and the feed read back to what they hold', () => {
  everyRecord((all) => {
    assert.deepEqual(readUpdateinfo(bytes(writeUpdateinfo(all, publisher)), 'x'), fixedPackages(all));
    assert.deepEqual(readAtom(bytes(writeAtom(all, publisher)), 'x'), atomEntries(all, publisher));
  });
});

const schemas = join(
  dirname(createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json')),
  'res/schema',
);
const schemaOf = async (name: string) =>
  JSON.parse(await readFile(join(schemas, `${name}.SNAPSHOT.schema.json`), 'utf8'));

test('CycloneDX keeps its schema', async () => {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs'])
    ajv.addSchema(await schemaOf(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  const validate = ajv.compile(await schemaOf('bom-1.6'));
  everyRecord((all) => {
    const isValid = validate(JSON.parse(writeCycloneDxVex(all, about)));
    assert.ok(isValid, JSON.stringify(validate.errors?.slice(0, 3)));
  });
  assert.ok(
    !validate({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      vulnerabilities: [{ analysis: { state: 'open' } }],
    }),
  );
});

test('OSV says which versions have the flaw and where it ends', () => {
  const { affected, upstream } = JSON.parse(writeOsv(opensslRecord, publisher));
  assert.deepEqual(upstream, ['CVE-2026-42772']);
  assert.deepEqual(affected, [
    {
      package: {
        ecosystem: 'Plinth:0',
        name: 'openssl',
        purl: 'pkg:deb/debian/openssl?arch=source&distro=trixie',
      },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '3.5.7-1~deb13u3' }] }],
      versions: ['3.5.7-1~deb13u2'],
    },
  ]);
});

test('what is withdrawn stays, and says so', () => {
  assert.equal(JSON.parse(writeOsv(jqRecord, publisher)).withdrawn, '2026-11-22T06:00:00Z');
  assert.match(writeAdvisoryPage(jqRecord), /Withdrawn 2026-11-22/);
  assert.equal(factsOf([jqRecord])[0]?.state, 'disputed');
});

/** Every name of an element and of an attribute of a page. */
function names(element: XmlElement): readonly string[] {
  return [element.name, ...Object.keys(element.attributes), ...element.elements.flatMap(names)];
}

test('a text that turns its own direction is shown in its true order', () => {
  const turned = { ...jqRecord, title: 'safe \u202egpj.exe', description: 'a\u2067b\u2069' };
  for (const page of [writeAdvisoryPage(turned), writeIndexPage([turned], 'x')]) {
    assert.doesNotMatch(page, /[\u202a-\u202e\u2066-\u2069]/);
    assert.match(page, /safe \ufffdgpj\.exe/);
  }
  assert.deepEqual(readAdvisoryPage(bytes(writeAdvisoryPage(turned)), 'x'), factsOf([turned]));
});

test('markup in a record is text on a page', () => {
  const allowed = new Set(
    'html head body meta title link h1 h2 p a table thead tbody tr th td ul li lang charset http-equiv content name rel href class scope colspan'.split(
      ' ',
    ),
  );
  const page = writeAdvisoryPage(jqRecord);
  assert.ok(page.includes('&lt;b&gt;regression&lt;/b&gt; of a fix &amp; &quot;others&quot;'));
  everyRecord((all) => {
    for (const text of [writeIndexPage(all, '<i>'), ...all.map(writeAdvisoryPage)]) {
      const found = names(readXml(text.slice('<!doctype html>\n'.length), 'x'));
      const strange = found.filter((one) => !allowed.has(one) && !one.startsWith('data-'));
      assert.deepEqual(strange, []);
      // Elements that are not void need an end tag: HTML passes over "/>".
      assert.doesNotMatch(text, /<(?!meta|link)[a-z0-9]+[^<>]*\/>/);
    }
  });
});

test('readers refuse what is no such document', () => {
  for (const read of [readOpenVex, readCycloneDxVex, readOsv, readAdvisoryPage, readUpdateinfo, readAtom])
    for (const text of ['', '{}', '[]', '<a/>', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
      assert.throws(
        () => read(bytes(text), 'x'),
        { code: 'advisory/document-refused' },
        `${read.name} ${text}`,
      );
  const vex = JSON.parse(writeOpenVex([opensslRecord], about));
  vex.statements[0].vulnerability.name = '<script>';
  assert.throws(() => readOpenVex(bytes(JSON.stringify(vex)), 'x'), { code: 'advisory/document-refused' });
});
