import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PackageClaim, VendorStatement } from '../feeds/feed-content.ts';
import type { FeedState, GoProgram } from '../model/index.ts';
import { binary, FRESH, image, knowledge, NOW, trackerClaim } from '../testing/knowledge.testing.ts';
import { judge } from './judge.ts';

const ID = 'CVE-2026-54875';
const FEEDS: readonly FeedState[] = [
  ...FRESH,
  { name: 'csaf', condition: 'fresh', validUntil: '2026-12-20T00:00:00.000Z', authenticity: 'none' },
];
const OPENSSL = binary('openssl', '3.5.7-1~deb13u2');

function says(statement: Partial<VendorStatement>, fields: Partial<PackageClaim> = {}): PackageClaim {
  return {
    ...{
      feed: 'csaf',
      id: ID,
      aliases: [],
      state: 'active',
      ecosystem: 'debian',
      package: 'openssl',
      ranges: [],
    },
    versions: ['3.5.7-1~deb13u2'],
    statement: {
      ...{ verdict: 'not-affected', by: 'Example Vendor', document: 'EVD-1', about: 'source' },
      ...{ justification: 'vulnerable_code_not_present', at: '2026-11-10T00:00:00.000Z' },
      ...{ validUntil: '2027-05-09T00:00:00.000Z' },
      ...statement,
    },
    ...fields,
  };
}

function judged(claims: readonly PackageClaim[], binaries = [OPENSSL], feeds = FEEDS, now = NOW) {
  const { findings } = judge(image(binaries), knowledge([], claims, feeds), { now });
  return findings[0];
}

test('a vendor decides before the tracker, and the contradiction is shown', () => {
  const finding = judged([says({ words: 'ARM64 only' }), trackerClaim(ID, 'openssl')]);
  assert.equal(finding?.verdict, 'not-affected');
  assert.equal(finding?.disputed, true);
  assert.equal(
    finding?.reason,
    'Example Vendor says that openssl 3.5.7-1~deb13u2 does not have it (vulnerable_code_not_present): ARM64 only',
  );
  assert.deepEqual(
    finding?.evidence.map(({ source, speaksFor, confidence }) => [source, speaksFor, confidence]),
    [
      ['csaf', 'not-affected', 'stated'],
      ['debian-tracker', 'open', 'stated'],
    ],
  );
});

test('"affected" counts against a tracker that knows nothing of it', () => {
  const finding = judged([
    says({ verdict: 'open' }),
    trackerClaim(ID, 'openssl', { stance: 'never-affected', ranges: [] }),
  ]);
  assert.deepEqual([finding?.verdict, finding?.disputed], ['open', true]);
});

test('two vendors against each other: the worse one decides', () => {
  const finding = judged([says({}), says({ verdict: 'open', by: 'Another', document: 'A-1' })]);
  assert.deepEqual([finding?.verdict, finding?.disputed], ['open', true]);
});

test('what is said of another version, release or package says nothing', () => {
  assert.equal(judged([says({}, { versions: ['3.5.7-1~deb13u3'] })]), undefined);
  assert.equal(judged([says({}, { release: 'bookworm' })]), undefined);
  assert.equal(judged([says({ about: 'package' }, { package: 'libssl3t64' })]), undefined);
});

test('too old, or out of a feed that is not fresh: unknown, and the tracker decides', () => {
  const later = new Date('2027-06-01T00:00:00.000Z');
  const alone = judged([says({})], [OPENSSL], FEEDS, later);
  assert.equal(alone?.verdict, 'unknown');
  assert.match(alone?.reason ?? '', /counts until 2027-05-09/);
  assert.equal(alone?.unknownSince, '2026-12-20T00:00:00.000Z');
  assert.equal(judged([says({}), trackerClaim(ID, 'openssl')], [OPENSSL], FEEDS, later)?.verdict, 'open');
  const stale = FEEDS.map((feed) => (feed.name === 'csaf' ? { ...feed, condition: 'stale' as const } : feed));
  assert.equal(judged([says({})], [OPENSSL], stale)?.verdict, 'unknown');
  // "Affected" stays true however old it is.
  assert.equal(judged([says({ verdict: 'open' })], [OPENSSL], stale, later)?.verdict, 'open');
});

test('"under investigation" outweighs nobody', () => {
  const claims = [
    says({ verdict: 'unknown' }),
    trackerClaim(ID, 'openssl', { stance: 'never-affected', ranges: [] }),
  ];
  assert.equal(judged(claims)?.verdict, 'not-affected');
  assert.equal(judged(claims.slice(0, 1))?.verdict, 'unknown');
});

test('binary packages: their own versions; one of two clears no source, one of two that has it is enough', () => {
  const two = [
    binary('libzstd1', '1.5.7-1+b1', { source: 'libzstd', sourceVersion: '1.5.7-1' }),
    binary('zstd', '1.5.7-1+b1', { source: 'libzstd', sourceVersion: '1.5.7-1' }),
  ];
  const of = (name: string, verdict: VendorStatement['verdict'] = 'not-affected') =>
    says({ about: 'package', verdict }, { package: name, versions: ['1.5.7-1+b1'] });
  const both = judged([of('libzstd1'), of('zstd')], two);
  assert.deepEqual([both?.verdict, both?.evidence[0]?.confidence], ['not-affected', 'derived']);
  const one = judged([of('libzstd1')], two);
  assert.equal(one?.verdict, 'unknown');
  assert.match(one?.reason ?? '', /speaks of libzstd1 and not of zstd/);
  assert.equal(judged([of('zstd', 'open')], two)?.verdict, 'open');
});

test('"component not present" of what is in the image is refuted, not believed', () => {
  const absent = says({ justification: 'component_not_present' });
  const alone = judged([absent]);
  assert.equal(alone?.verdict, 'unknown');
  assert.match(alone?.reason ?? '', /but openssl 3\.5\.7-1~deb13u2 is in the image/);
  const known = judged([absent, trackerClaim(ID, 'openssl')]);
  assert.deepEqual([known?.verdict, known?.disputed], ['open', true]);
});

test('functions that the image has linked refute "the code is not there"', () => {
  const program: GoProgram = {
    ...{ path: '/usr/bin/x', goVersion: 'go1.26.1', modulesRecorded: true },
    modules: [{ path: 'golang.org/x/net', version: 'v0.33.0' }],
    provenance: { source: 'go-build-info', locator: 'x' },
  };
  const place = { ecosystem: 'go', package: 'golang.org/x/net' } as const;
  const claims = [
    says({ about: 'module' }, { ...place, versions: ['v0.33.0'] }),
    trackerClaim(ID, 'x', {
      ...{ ...place, feed: 'osv-go', ranges: [{ introduced: '0', fixed: '0.34.0' }] },
      symbols: { 'golang.org/x/net/http2': ['Server.ServeConn'] },
    }),
  ].map(({ release: _, ...claim }) => claim);
  const osv: FeedState = { name: 'osv-go', condition: 'fresh', authenticity: 'none' };
  const run = (holds: 'yes' | 'no' | 'unknown') =>
    judge(image([], { goPrograms: [program] }), knowledge([], claims, [...FEEDS, osv]), {
      now: NOW,
      evidence: {
        evaluate: () => ({ holds, detail: 'asked /usr/bin/x' }),
        proposeKernel: () => [],
        architecturesOf: () => undefined,
      },
    }).findings[0];
  assert.deepEqual([run('no')?.verdict, run('no')?.disputed], ['open', true]);
  assert.equal(run('yes')?.verdict, 'not-affected');
  // Without an answer of the image the vendor's word stands, against OSV's.
  assert.deepEqual([run('unknown')?.verdict, run('unknown')?.disputed], ['not-affected', true]);
});
