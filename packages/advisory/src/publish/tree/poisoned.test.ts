import assert from 'node:assert/strict';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { scratchFolder } from '@plinth/host/testing';
import fc from 'fast-check';
import { documentLimits } from '../../documents/read-text.ts';
import { readCsaf } from '../csaf/read-csaf.ts';
import { readCvrfJson, readCvrfXml } from '../cvrf/read-cvrf.ts';
import { readCycloneDxVex } from '../cyclonedx/cyclonedx-vex.ts';
import { readAdvisoryPage } from '../html/pages.ts';
import { readOpenVex } from '../openvex/openvex.ts';
import { readOsv } from '../osv/osv.ts';
import { readSarif } from '../sarif/sarif.ts';
import { samplePublisher } from '../testing/oracles.ts';
import { sampleRecords } from '../testing/sample-records.ts';
import { readUpdateinfo } from '../updateinfo/updateinfo.ts';
import { readManifest } from './manifest.ts';
import { planTree } from './plan-tree.ts';
import { isTreePath } from './tree-path.ts';
import { verifyTree } from './verify-tree.ts';

// What a document, or a tree, from somebody else may try.

const refused = { code: 'advisory/document-refused' };
const readers = [
  ...[readCsaf, readCvrfJson, readCycloneDxVex, readOpenVex, readOsv, readSarif],
  ...[readCvrfXml, readAdvisoryPage, readUpdateinfo],
];
const bytes = (text: string) => new TextEncoder().encode(text);

test('too large, too deep, too many, compressed, not UTF-8, with NUL: refused before anything is made of it', () => {
  const poison = [
    new Uint8Array(documentLimits.bytes + 1),
    bytes('['.repeat(1_000_000)),
    bytes(`{"a":${'['.repeat(100)}${']'.repeat(100)}}`),
    bytes('<a>'.repeat(1_000_000)),
    gzipSync(Buffer.alloc(100_000_000)),
    Uint8Array.of(0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d),
    Uint8Array.of(0xff, 0xfe, 0x7b, 0, 0x7d, 0),
    bytes('{"a":"\0"}'),
  ];
  for (const read of readers)
    for (const [index, data] of poison.entries())
      assert.throws(() => read(data, 'x'), refused, `${read.name} ${index}`);
});

test('a flood of values or elements ends at the limit', () => {
  assert.throws(() => readCsaf(bytes(`[${'0,'.repeat(2_500_000)}0]`), 'x'), {
    ...refused,
    message: /more than/,
  });
  assert.throws(() => readCvrfXml(bytes(`<a>${'<b/>'.repeat(2_500_000)}</a>`), 'x'), {
    ...refused,
    message: /more than/,
  });
});

test('very many products in one document cost time in proportion, not squared', () => {
  const ids = Array.from({ length: 200_000 }, (_, index) => `plinth_${index}_x86-64`);
  const statuses = [{ ProductID: ids, Type: 3 }];
  const notes = [{ Title: 'Identifiers', Type: 6, Ordinal: '1', Value: 'CVE-2026-1000' }];
  const tracking = { Identification: { ID: { Value: '2026-Nov' } } };
  const month = { DocumentTracking: tracking, Vulnerability: [{ Notes: notes, ProductStatuses: statuses }] };
  assert.equal(readCvrfJson(bytes(JSON.stringify(month)), 'x').length, ids.length);
  const vulnerabilities = [{ cve: 'CVE-2026-1000', product_status: { known_affected: ids } }];
  const csaf = { document: { csaf_version: '2.0' }, vulnerabilities };
  assert.equal(readCsaf(bytes(JSON.stringify(csaf)), 'x').length, ids.length);
});

test('whatever is changed in a document, it is read or refused, and never anything else', () => {
  const files = [...planTree({ records: sampleRecords, publisher: samplePublisher, keys: [] }).files];
  const documents = files.filter(([path]) => /\.(json|xml|html)$/.test(path)).map(([, text]) => text);
  fc.assert(
    fc.property(
      fc.constantFrom(...documents),
      fc.nat(),
      fc.string({ maxLength: 8 }),
      fc.nat(40),
      (text, at, noise, cut) => {
        const place = at % text.length;
        const data = bytes(`${text.slice(0, place)}${noise}${text.slice(place + cut)}`);
        for (const read of readers) {
          try {
            read(data, 'x');
          } catch (reason) {
            assert.equal((reason as { code?: string }).code, 'advisory/document-refused', String(reason));
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('a manifest names plain paths only', () => {
  const manifest = (path: string) => {
    const files = JSON.stringify({ [path]: { sha256: 'a'.repeat(64), sizeBytes: 1 } });
    const head =
      '"format":1,"sequence":1,"publishedAt":"2026-11-22T06:00:00Z","validUntil":"2026-11-23T06:00:00Z"';
    return bytes(`{${head},"files":${files}}`);
  };
  assert.ok(readManifest(manifest('.well-known/csaf/white/2026/a~b^c+d.json'), 'x'));
  for (const path of [
    '../a',
    '/etc/passwd',
    'a/../b',
    'a//b',
    'a/.',
    '..',
    '',
    'a\nb',
    'a\\b',
    '-rf',
    'a/b.tmp',
    'é',
    'x'.repeat(400),
  ]) {
    assert.throws(() => readManifest(manifest(path), 'x'), refused, path);
    assert.equal(isTreePath(path), false, path);
  }
});

test('a file of ten gigabytes in a tree is not read', async () => {
  const tree = join(await scratchFolder('poisoned'), 'tree');
  await mkdir(tree);
  const file = { sha256: 'a'.repeat(64), sizeBytes: 1 };
  const manifest = {
    ...{ format: 1, sequence: 1, publishedAt: '2026-11-22T06:00:00Z', validUntil: '2026-11-23T06:00:00Z' },
    files: { 'feed.atom': file },
  };
  await writeFile(join(tree, 'tree.json'), JSON.stringify(manifest));
  await writeFile(join(tree, 'feed.atom'), '');
  await truncate(join(tree, 'feed.atom'), 10 * 2 ** 30);
  const { checks } = await verifyTree(tree, { now: new Date('2026-11-22T07:00:00Z') });
  assert.match(
    checks.find(({ subject }) => subject === 'files')?.detail ?? '',
    /feed\.atom: it has 10737418240 bytes/,
  );
  await truncate(join(tree, 'tree.json'), 10 * 2 ** 30);
  await assert.rejects(verifyTree(tree), { code: 'advisory/tree-invalid' });
});
