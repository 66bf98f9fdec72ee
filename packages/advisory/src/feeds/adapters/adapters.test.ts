import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { adapters } from './index.ts';

/** Documents in the shapes that the feeds publish; records shortened, values made up where they do not matter. */
const tracker = {
  openssl: {
    'CVE-2026-35189': {
      description: 'Memory allocation\u001b[2J in CRLDP processing',
      debianbug: 1,
      scope: 'local',
      releases: {
        trixie: {
          status: 'resolved',
          repositories: { trixie: '3.5.7-1~deb13u2' },
          fixed_version: '3.5.7-1~deb13u3',
          urgency: 'medium',
        },
        sid: { status: 'resolved', repositories: {}, fixed_version: '0', urgency: 'not yet assigned' },
        forky: { status: 'open', repositories: {}, urgency: 'unimportant' },
        bookworm: {
          status: 'open',
          repositories: {},
          urgency: 'low',
          nodsa: 'Minor issue',
          nodsa_reason: 'postponed',
        },
        bullseye: { status: 'open', repositories: {}, urgency: 'end-of-life' },
      },
    },
  },
};
const osvGo = {
  schema_version: '1.7.0',
  id: 'GO-2026-4321',
  modified: '2026-10-01T00:00:00Z',
  published: '2026-09-01T00:00:00Z',
  aliases: ['CVE-2026-5555', 'GHSA-2222-3333-4444'],
  summary: 'Crash in golang.org/x/net/http2',
  affected: [
    {
      package: { name: 'golang.org/x/net', ecosystem: 'Go' },
      ranges: [
        {
          type: 'SEMVER',
          events: [
            { introduced: '0' },
            { fixed: '0.33.0' },
            { introduced: '0.34.0' },
            { last_affected: '0.35.1' },
          ],
        },
      ],
      ecosystem_specific: { imports: [{ path: 'golang.org/x/net/http2', symbols: ['Server.ServeConn'] }] },
    },
  ],
};
const osvDebian = {
  id: 'DEBIAN-CVE-2026-0042',
  modified: '2026-10-01T00:00:00Z',
  upstream: ['CVE-2026-0042'],
  affected: [
    {
      package: { ecosystem: 'Debian:13', name: 'curl' },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '8.14.1-2+deb13u7' }] }],
    },
  ],
};
const nvd = {
  resultsPerPage: 1,
  startIndex: 0,
  totalResults: 1,
  format: 'NVD_CVE',
  version: '2.0',
  timestamp: '2026-11-21T10:00:00.000',
  vulnerabilities: [
    {
      cve: {
        id: 'CVE-2026-35189',
        published: '2026-09-20T12:15:00.123',
        vulnStatus: 'Analyzed',
        cveTags: [{ sourceIdentifier: 'x', tags: ['disputed'] }],
        descriptions: [{ lang: 'en', value: 'A flaw.' }],
        metrics: {
          cvssMetricV31: [
            {
              source: 'x',
              type: 'Secondary',
              cvssData: { version: '3.1', vectorString: 'CVSS:3.1/AV:L', baseScore: 3.1 },
            },
            {
              source: 'nvd@nist.gov',
              type: 'Primary',
              cvssData: { version: '3.1', vectorString: 'CVSS:3.1/AV:N', baseScore: 9.8 },
            },
          ],
        },
      },
    },
  ],
};
const kev = {
  title: 'CISA Catalog of Known Exploited Vulnerabilities',
  catalogVersion: '2026.11.20',
  dateReleased: '2026-11-20T17:00:00.0000Z',
  count: 1,
  vulnerabilities: [
    {
      cveID: 'CVE-2026-35189',
      vulnerabilityName: 'OpenSSL',
      dateAdded: '2026-11-01',
      dueDate: '2026-11-22',
      knownRansomwareCampaignUse: 'Known',
    },
  ],
};
const epss =
  '#model_version:v2026.03.14,score_date:2026-11-21T12:55:00Z\ncve,epss,percentile\nCVE-2026-35189,0.91234,0.99\n';
const cna = {
  dataType: 'CVE_RECORD',
  dataVersion: '5.1',
  cveMetadata: {
    cveId: 'CVE-2026-0001',
    assignerOrgId: 'x',
    state: 'PUBLISHED',
    datePublished: '2026-10-10T10:00:00.000Z',
  },
  containers: {
    cna: {
      title: 'f2fs: fix a leak',
      affected: [{ product: 'Linux', vendor: 'Linux', programFiles: ['fs/f2fs/file.c', '../../etc/passwd'] }],
    },
  },
};

function read(document: unknown) {
  const adapter = adapters.find(({ recognises }) => recognises(document));
  assert.ok(adapter, 'no adapter takes it');
  return { name: adapter.name, ...adapter.read([document], '2026-11-21T00:00:00.000Z') };
}

test('the Debian tracker: five states, and "0" that says never', () => {
  const { name, claims, details } = read(tracker);
  assert.equal(name, 'debian-tracker');
  assert.deepEqual(
    claims.map(({ release, stance, ranges }) => [release, stance, ranges[0]?.fixed]),
    [
      ['trixie', 'resolved', '3.5.7-1~deb13u3'],
      ['sid', 'never-affected', undefined],
      ['forky', 'unimportant', undefined],
      ['bookworm', 'postponed', undefined],
      ['bullseye', 'end-of-life', undefined],
    ],
  );
  // What a terminal would obey is taken out.
  assert.equal(details[0]?.title, 'Memory allocation [2J in CRLDP processing');
});

test('OSV: several ranges, symbols, and the names of one flaw', () => {
  const { name, claims } = read(osvGo);
  assert.equal(name, 'osv-go');
  assert.deepEqual(claims[0]?.ranges, [
    { introduced: '0', fixed: '0.33.0' },
    { introduced: '0.34.0', lastAffected: '0.35.1' },
  ]);
  assert.deepEqual(claims[0]?.aliases, ['CVE-2026-5555', 'GHSA-2222-3333-4444']);
  assert.deepEqual(claims[0]?.symbols, { 'golang.org/x/net/http2': ['Server.ServeConn'] });
  const debian = read(osvDebian);
  assert.deepEqual(
    [debian.name, debian.claims[0]?.id, debian.claims[0]?.release],
    ['osv-debian', 'CVE-2026-0042', 'trixie'],
  );
  const malware = {
    ...{ id: 'MAL-2026-1001', modified: '2026-10-01T00:00:00Z' },
    affected: [{ package: { ecosystem: 'npm', name: 'left-pad' }, versions: ['1.3.1'] }],
  };
  assert.deepEqual(read(malware).claims[0]?.versions, ['1.3.1']);
});

test('NVD: severity and state, never its version ranges', () => {
  const { claims, details, date } = read(nvd);
  assert.deepEqual(claims, []);
  assert.equal(date, '2026-11-21T10:00:00.000Z');
  assert.equal(details[0]?.state, 'disputed');
  assert.deepEqual(details[0]?.severities, [
    { source: 'nvd', level: 'critical', score: 9.8, vector: 'CVSS:3.1/AV:N' },
  ]);
});

test('KEV, EPSS and the kernel authority', () => {
  assert.deepEqual(read(kev).details[0]?.knownExploited, {
    addedAt: '2026-11-01T00:00:00.000Z',
    dueAt: '2026-11-22T00:00:00.000Z',
    ransomware: true,
  });
  assert.equal(read(epss).details[0]?.prediction?.probability, 0.91234);
  assert.deepEqual(read(cna).details[0]?.programFiles, ['fs/f2fs/file.c']);
});

test('a piece of a feed is no feed', () => {
  const refused = (document: unknown) =>
    assert.throws(() => read(document), { code: 'advisory/feed-invalid' });
  refused({ ...nvd, totalResults: 2 });
  refused({ ...kev, count: 2 });
  refused(epss.slice(0, -4));
  refused(epss.replace('0.91234', '<script>'));
});

test('a new shape is refused as a whole, not read in part', () => {
  const refused = (document: unknown) =>
    assert.throws(() => read(document), { code: 'advisory/feed-invalid' });
  refused({ openssl: { 'CVE-2026-1': { releases: { trixie: { status: 'quantum' } } } } });
  refused({ ...nvd, version: '3.0' });
  refused({ ...cna, dataVersion: '6.0' });
  refused({ ...osvGo, affected: [{ ...osvGo.affected[0], ranges: 'all' }] });
});

test('whatever comes in: a content or the one error', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(tracker, osvGo, osvDebian, nvd, kev, cna),
      fc.json(),
      fc.nat(),
      (sample, noise, place) => {
        const text = JSON.stringify(sample);
        const at = place % text.length;
        let document: unknown;
        try {
          document = JSON.parse(`${text.slice(0, at)}${noise}${text.slice(at + 1)}`);
        } catch {
          return;
        }
        const adapter = adapters.find(({ recognises }) => recognises(document));
        if (!adapter) return;
        try {
          for (const { id } of adapter.read([document], '2026-01-01T00:00:00.000Z').claims)
            assert.match(id, /^[A-Z]+-/);
        } catch (reason) {
          if (!(reason instanceof PlinthError)) throw reason;
        }
      },
    ),
    { numRuns: 500 },
  );
});
