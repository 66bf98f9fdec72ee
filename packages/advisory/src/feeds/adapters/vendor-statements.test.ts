import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { codeOf, scratchFolder } from '@plinth/host/testing';
import fc from 'fast-check';
import { validateCsaf } from '../../publish/testing/oracles.ts';
import { openAdvisoryStore } from '../../store/index.ts';
import { importFeed } from '../import-feed.ts';
import { parseVers } from './vendor/vers.ts';
import { vendorStatements } from './vendor-statements.ts';

/** Documents in the shapes that vendors publish. */
const fixture = async (name: string) =>
  await readFile(new URL(`./vendor/__fixtures__/${name}.json`, import.meta.url), 'utf8');
const csafText = await fixture('csaf-vex');
const csaf = JSON.parse(csafText);
const openVex = JSON.parse(await fixture('openvex'));
const DATE = '2026-11-20T00:00:00.000Z';
const read = (...documents: unknown[]) => vendorStatements.read(documents, DATE);
const refused = (...documents: unknown[]) =>
  assert.throws(() => read(...documents), { code: 'advisory/feed-invalid' });
/** The CSAF fixture with other values at paths of keys. */
function changed(...changes: (readonly [path: readonly (string | number)[], value: unknown])[]): unknown {
  const copy = structuredClone(csaf);
  for (const [path, value] of changes) {
    let at = copy;
    for (const key of path.slice(0, -1)) at = at[key];
    at[path.at(-1) ?? ''] = value;
  }
  return copy;
}

test('the sample is CSAF as the OASIS validator wants it', async () => {
  assert.deepEqual(await validateCsaf(csafText), []);
});

test('CSAF: what is said of packages, by whom, for which versions, until when', () => {
  const { claims, details } = read(csaf);
  assert.deepEqual(
    claims.map(({ id, package: name, release, versions, ranges, statement }) =>
      [
        id,
        name,
        release,
        ...(versions ?? []),
        ...ranges.map((each) => JSON.stringify(each)),
        statement?.verdict,
      ].join(' '),
    ),
    [
      'CVE-2026-54875 openssl trixie 3.5.7-1~deb13u2 not-affected',
      'CVE-2026-54875 openssl trixie 3.5.7-1~deb13u3 not-affected',
      'CVE-2026-35189 openssl trixie 3.5.7-1~deb13u2 open',
      'CVE-2026-35189 openssl trixie 3.5.7-1~deb13u3 fixed',
      // "curl in Appliance 4" is not affected; that says nothing of curl in Debian.
      'CVE-2026-92392 curl  {"introduced":"8.0.0-1","fixed":"8.14.1-2+deb13u7"} open',
    ],
  );
  assert.deepEqual(claims[0]?.statement, {
    ...{ verdict: 'not-affected', by: 'Example Vendor', document: 'EVD-2026-0007', about: 'source' },
    ...{ justification: 'vulnerable_code_not_present', words: 'The code is for ARM64.' },
    ...{ at: '2026-11-10T08:00:00.000Z', validUntil: '2027-05-09T08:00:00.000Z' },
  });
  assert.deepEqual(
    details.find(({ id }) => id === 'CVE-2026-35189')?.severities.map(({ level, score }) => [level, score]),
    [['high', 7.5]],
  );
});

test('OpenVEX: the later statement counts, a part of a product clears nothing', () => {
  const said = read(openVex).claims.map(({ id, ecosystem, package: name, versions, statement }) =>
    [id, ecosystem, name, versions?.[0], statement?.verdict].join(' '),
  );
  assert.deepEqual(said.sort(), [
    'CVE-2026-27171 debian zlib1g 1:1.3.dfsg+really1.3.1-1+b1 fixed',
    'CVE-2026-5555 go golang.org/x/net v0.33.0 not-affected',
    'CVE-2026-7777 npm @scope/parser 2.0.0 open',
  ]);
});

test('of two editions the newer one counts, wherever it lies; a draft says nothing', () => {
  const tracking = ['document', 'tracking'];
  const older = changed(
    [[...tracking, 'current_release_date'], '2026-11-01T00:00:00.000Z'],
    [['vulnerabilities', 1, 'product_status'], { known_not_affected: ['OSSL-U2'] }],
  );
  for (const documents of [
    [older, csaf],
    [csaf, older],
  ])
    assert.deepEqual(read(...documents), read(csaf));
  assert.deepEqual(read(changed([[...tracking, 'status'], 'draft'])).claims, []);
});

test('names of flaws are not joined by a vendor: one that lists two as the same would close both', () => {
  const joined = structuredClone(openVex);
  joined.statements[2].vulnerability = {
    name: 'CVE-2026-1111',
    aliases: ['CVE-2026-2222', 'GHSA-2222-3333-4444'],
  };
  const claim = read(joined).claims.find(({ package: name }) => name === 'zlib1g');
  assert.deepEqual([claim?.id, claim?.aliases], ['CVE-2026-1111', []]);
});

test('a statement from the future counts from when it was fetched', () => {
  const later = changed([['document', 'tracking', 'current_release_date'], '2099-01-01T00:00:00.000Z']);
  assert.equal(read(later).claims[0]?.statement?.at, DATE);
});

test('versions that cannot be read: "affected" becomes unknown, "not affected" nothing', () => {
  const range = ['product_tree', 'branches', 0, 'branches', 1, 'branches', 0, 'name'];
  const curl = (document: unknown) => read(document).claims.filter(({ package: name }) => name === 'curl');
  assert.equal(curl(changed([range, 'all before the fix']))[0]?.statement?.verdict, 'unknown');
  const cleared = changed(
    [range, 'all before the fix'],
    [['vulnerabilities', 2, 'product_status'], { known_not_affected: ['CURL'] }],
  );
  assert.deepEqual(curl(cleared), []);
});

test('vers: ranges in order, and nothing else', () => {
  assert.deepEqual(parseVers('vers:deb/>=1|<2|3|>=4'), {
    ranges: [{ introduced: '1', fixed: '2' }, { introduced: '4' }],
    versions: ['3'],
  });
  assert.deepEqual(parseVers('vers:npm/*'), { ranges: [{ introduced: '0' }], versions: [] });
  for (const text of [
    '<1.2',
    'vers:deb/',
    'vers:deb/!=1',
    'vers:deb/>1|<2',
    'vers:deb/<1|<2',
    'vers:deb/>=1|>=2',
  ])
    assert.equal(parseVers(text), undefined, text);
  assert.equal(parseVers(`vers:deb/${'1|'.repeat(5_000)}1`), undefined);
  assert.equal(parseVers('vers:deb/%zz'), undefined);
});

test('another version, another status, a product without a name, a nest of products: refused as a whole', () => {
  refused(changed([['document', 'csaf_version'], '2.1']));
  refused(changed([['vulnerabilities', 1, 'product_status'], { known_affected: ['NOBODY'] }]));
  refused(changed([['document', 'tracking', 'current_release_date'], 'yesterday']));
  refused(changed([['vulnerabilities', 1, 'scores', 0, 'cvss_v3', 'baseScore'], 99]));
  refused({ ...openVex, '@context': 'https://openvex.dev/ns' });
  refused({ ...openVex, statements: [{ ...openVex.statements[0], status: 'fine' }] });
  refused(csaf, { ...openVex, timestamp: 'soon' });
  refused();
  let nest: unknown = { category: 'product_name', name: 'x' };
  for (let depth = 0; depth < 40; depth++) nest = { category: 'vendor', name: 'x', branches: [nest] };
  refused(changed([['product_tree', 'branches'], [nest]]));
});

test('relations in a circle end, and make no package of a product', () => {
  const relationship = (id: string, reference: string) => ({
    category: 'default_component_of',
    full_product_name: { name: id, product_id: id },
    product_reference: reference,
    relates_to_product_reference: reference,
  });
  const circle = changed(
    [
      ['product_tree', 'relationships'],
      [relationship('A', 'B'), relationship('B', 'A')],
    ],
    [['vulnerabilities', 2, 'product_status'], { known_not_affected: ['A', 'B'] }],
  );
  assert.equal(read(circle).claims.length, 4);
});

test('hostile names: markup, paths, control characters and prototypes stay data or are passed over', () => {
  const document = structuredClone(openVex);
  document.author = '\u001b[2J<script>';
  document.statements[4].products = [
    { '@id': 'pkg:npm/__proto__@1.0.0' },
    { '@id': 'pkg:deb/debian/..%2f..%2fetc@1.0?arch=source' },
    { '@id': 'pkg:deb/debian/curl@%3Cscript%3E?arch=source' },
    { '@id': 'pkg:deb/debian/curl@%zz' },
    { '@id': 'javascript:alert(1)' },
  ];
  const { claims } = read(document);
  const names = claims.filter(({ id }) => id === 'CVE-2026-7777').map(({ package: name }) => name);
  assert.deepEqual(names, ['__proto__']);
  assert.equal(claims[0]?.statement?.by, '[2J<script>');
});

test('from a folder into the store: both kinds together; past the limits nothing changes', async () => {
  const folder = join(await scratchFolder('vendors'), 'documents');
  await mkdir(folder);
  await writeFile(join(folder, 'a.json'), csafText);
  await writeFile(join(folder, 'b.json'), JSON.stringify(openVex));
  const store = await openAdvisoryStore(':memory:');
  const head = await importFeed(store, folder);
  assert.equal(head.name, 'csaf');
  assert.equal((await store.claims('debian', ['openssl', 'zlib1g', 'curl'])).length, 6);
  const size = await store.size('csaf');
  const hostile: readonly (readonly [string, string | Buffer])[] = [
    ['deep', `{"document":${'['.repeat(100)}${']'.repeat(100)}}`],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
    ['long', JSON.stringify({ ...openVex, author: 'x'.repeat(9 * 1024 * 1024) })],
    ['cut off', csafText.slice(0, -20)],
    ['of another feed', JSON.stringify({ dataType: 'CVE_RECORD' })],
  ];
  for (const [what, content] of hostile) {
    await writeFile(join(folder, 'c.json'), content);
    assert.equal(await codeOf(importFeed(store, folder)), 'advisory/feed-invalid', what);
    assert.equal(await store.size('csaf'), size, what);
  }
  // One document alone is a fifth less than there was: somebody lost the others.
  await writeFile(join(folder, 'c.json'), '');
  const alone = join(folder, 'b.json');
  assert.equal(await codeOf(importFeed(store, alone)), 'advisory/feed-invalid');
  await store.close();
});

test('whatever comes in: statements with identifiers, or the one error', () => {
  fc.assert(
    fc.property(fc.constantFrom(csaf, openVex), fc.json(), fc.nat(), (sample, noise, place) => {
      const text = JSON.stringify(sample);
      const at = place % text.length;
      let document: unknown;
      try {
        document = JSON.parse(`${text.slice(0, at)}${noise}${text.slice(at + 1)}`);
      } catch {
        return;
      }
      if (!vendorStatements.recognises(document)) return;
      try {
        for (const { id, statement } of read(document).claims) {
          assert.match(id, /^[A-Z]+-/);
          assert.ok(statement && statement.at <= DATE);
        }
      } catch (reason) {
        if (!(reason instanceof PlinthError)) throw reason;
      }
    }),
    { numRuns: 500 },
  );
});
