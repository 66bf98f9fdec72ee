import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PackageClaim } from '../feeds/feed-content.ts';
import type { Inventory } from '../model/index.ts';
import {
  binary,
  changelogText,
  FRESH,
  image,
  knowledge,
  NOW,
  trackerClaim,
} from '../testing/knowledge.testing.ts';
import { judge } from './judge.ts';

test('five states of the tracker without a fix are five states', () => {
  const subject = image([binary('foo', '1.0-1')]);
  const claims = [
    trackerClaim('CVE-2026-0001', 'foo', { stance: 'open' }),
    trackerClaim('CVE-2026-0002', 'foo', { stance: 'never-affected', ranges: [] }),
    trackerClaim('CVE-2026-0003', 'foo', { stance: 'undetermined' }),
    trackerClaim('CVE-2026-0004', 'foo', { stance: 'end-of-life' }),
    trackerClaim('CVE-2026-0005', 'foo', { stance: 'postponed' }),
    trackerClaim('CVE-2026-0006', 'foo', { stance: 'ignored' }),
    trackerClaim('CVE-2026-0007', 'foo', {
      stance: 'resolved',
      ranges: [{ introduced: '0', fixed: '1.0-1' }],
    }),
    trackerClaim('CVE-2026-0008', 'foo', {
      stance: 'resolved',
      ranges: [{ introduced: '0', fixed: '1.0-2' }],
    }),
    trackerClaim('CVE-2026-0009', 'foo', { stance: 'open', release: 'bookworm' }),
  ];
  const report = judge(subject, knowledge([['trixie', 'foo', '1.0-1']], claims), { now: NOW });
  const verdicts = Object.fromEntries(
    report.findings.map((each) => [each.vulnerability.id.slice(-1), [each.verdict, each.stance]]),
  );
  assert.deepEqual(verdicts, {
    1: ['open', 'open'],
    2: ['not-affected', 'never-affected'],
    3: ['unknown', 'undetermined'],
    4: ['open', 'end-of-life'],
    5: ['open', 'postponed'],
    6: ['open', 'ignored'],
    7: ['fixed', 'resolved'],
    8: ['open', 'resolved'],
  });
});

test('a stale tracker still says open; what it says against that becomes unknown, since its end', () => {
  const subject = image([binary('foo', '1.0-1')]);
  const claims = [
    trackerClaim('CVE-2026-0001', 'foo', { stance: 'open' }),
    trackerClaim('CVE-2026-0002', 'foo', { stance: 'never-affected', ranges: [] }),
  ];
  const stale = FRESH.map((feed) =>
    feed.name === 'debian-tracker' ? { ...feed, condition: 'stale' as const } : feed,
  );
  const report = judge(subject, knowledge([['trixie', 'foo', '1.0-1']], claims, stale), { now: NOW });
  assert.deepEqual(
    report.findings.map(({ verdict, unknownSince }) => [verdict, unknownSince]),
    [
      ['open', undefined],
      ['unknown', '2026-11-27T00:00:00.000Z'],
    ],
  );
  assert.equal(report.complete, false);
});

for (const condition of ['missing', 'stale', 'truncated', 'unreadable'] as const) {
  test(`nothing is clean while trixie-security is ${condition}`, () => {
    const feeds = FRESH.map((feed) =>
      feed.name === 'debian-index:trixie-security' ? { ...feed, condition } : feed,
    );
    const report = judge(image([binary('foo', '1')]), knowledge([['trixie', 'foo', '1']], [], feeds), {
      now: NOW,
    });
    assert.equal(report.complete, false);
    assert.match(
      report.gaps.join('\n'),
      /whether newer fixes exist is unknown since 2026-11-27.*trixie-security is/,
    );
  });
}

test('a source that no suite has is a gap, and a distribution without suites is nothing but one', () => {
  const report = judge(image([binary('acme-agent', '1.0')]), knowledge([]), { now: NOW });
  assert.match(report.gaps.join('\n'), /1 sources of the image are in no suite at hand, .*acme-agent/);
  assert.equal(report.complete, false);
  const other = image([binary('foo', '1')]);
  const strange = { ...other, subject: { ...other.subject, codename: '', distribution: 'ubuntu-24.04' } };
  const nothing = judge(strange, { ...knowledge([]), fixSuites: [] }, { now: NOW });
  assert.match(nothing.gaps.join('\n'), /no suite is known that holds fixes for ubuntu-24.04/);
  assert.equal(nothing.complete, false);
});

test('nothing counts as clean beside what was not read, nor where nothing was found', () => {
  const fresh = knowledge([['trixie', 'acme', '1.0-1', changelogText('acme', [['1.0-1', 'trixie', 'x']])]]);
  const packages = [binary('acme', '1.0-1')];
  const complete = (subject: Inventory) => judge(subject, fresh, { now: NOW }).complete;
  assert.equal(complete(image(packages, { gaps: ['a lock names packages only'] })), true);
  assert.equal(complete(image(packages, { unread: ['/srv cannot be listed'] })), false);
  assert.equal(complete(image([])), false);
});

test('names that mean one flaw make one finding; a withdrawn name opens nothing', () => {
  const subject = image([], {
    goPrograms: [
      {
        path: '/usr/bin/etcd',
        goVersion: '',
        modules: [{ path: 'golang.org/x/net', version: 'v0.30.0' }],
        modulesRecorded: true,
        provenance: { source: 'go-build-info', locator: '/usr/bin/etcd' },
      },
    ],
  });
  const claim = { feed: 'osv-go', ecosystem: 'go', package: 'golang.org/x/net', state: 'active' } as const;
  const claims = [
    {
      ...claim,
      id: 'GO-2026-1111',
      aliases: ['CVE-2026-5555'],
      ranges: [{ introduced: '0', fixed: '0.33.0' }],
    },
    {
      ...claim,
      id: 'GHSA-2222-3333-4444',
      aliases: ['CVE-2026-5555'],
      ranges: [{ introduced: '0', fixed: '0.33.0' }],
    },
    { ...claim, id: 'GO-2026-2222', aliases: [], state: 'withdrawn' as const, ranges: [{ introduced: '0' }] },
    { ...claim, id: 'GO-2026-3333', aliases: [], ranges: [{ introduced: '0.31.0', fixed: '0.33.0' }] },
    { ...claim, id: 'GO-2026-4444', aliases: [], ranges: [{ introduced: '0', fixed: 'not-a-version' }] },
  ];
  const feeds = [{ name: 'osv-go', condition: 'fresh', authenticity: 'none' } as const];
  const { findings, counts } = judge(subject, knowledge([], claims, feeds), { now: NOW });
  assert.deepEqual(
    findings.map(({ vulnerability, verdict }) => [vulnerability.id, vulnerability.aliases, verdict]),
    [
      ['CVE-2026-5555', ['GHSA-2222-3333-4444', 'GO-2026-1111'], 'open'],
      ['GO-2026-4444', [], 'unknown'],
      ['GO-2026-3333', [], 'not-affected'],
    ],
  );
  assert.equal(counts.open, 1);
});

test('sources that contradict each other are a queue of their own; the better rule decides', () => {
  const text = changelogText('foo', [['1.0-2', 'trixie-security', 'Fix CVE-2026-0001']]);
  const claims = [
    trackerClaim('CVE-2026-0001', 'foo', {
      stance: 'resolved',
      ranges: [{ introduced: '0', fixed: '1.0-1' }],
    }),
  ];
  const feeds = knowledge([['trixie-security', 'foo', '1.0-2', text]], claims);
  const [finding] = judge(image([binary('foo', '1.0-1')]), feeds, { now: NOW }).findings;
  assert.equal(finding?.verdict, 'fixed');
  assert.equal(finding?.disputed, true);
  assert.ok(finding?.evidence.some(({ kind, speaksFor }) => kind === 'changelog' && speaksFor === 'open'));
});

test('dpkg says installed, the image has none of its files: not affected, as long as they stay away', () => {
  const text = changelogText('curl', [['8-2', 'trixie-security', 'Fix CVE-2026-0001']]);
  const feeds = knowledge([['trixie-security', 'curl', '8-2', text]]);
  const options = {
    now: NOW,
    evidence: {
      architecturesOf: () => undefined,
      proposeKernel: () => [],
      evaluate: () => ({ holds: 'yes', detail: 'none of 1 paths is there' }) as const,
    },
  };
  const gone = { source: 'curl', filesPresent: 'none', absentPaths: ['/usr/bin/curl'] } as const;
  const [finding] = judge(image([binary('curl', '8-1', gone)]), feeds, options).findings;
  assert.equal(finding?.verdict, 'not-affected');
  assert.equal(finding?.justification, 'component_not_present');
  const both = image([
    binary('curl', '8-1', gone),
    binary('libcurl4', '8-1', { source: 'curl', filesPresent: 'some' }),
  ]);
  assert.equal(judge(both, feeds, options).findings[0]?.verdict, 'open');
});

test('what a person said counts as long as the image, and the day, agree', () => {
  const text = changelogText('foo', [['1.0-2', 'trixie-security', 'Fix CVE-2026-0001']]);
  const feeds = knowledge([['trixie-security', 'foo', '1.0-2', text]]);
  const judged = (statement: { readonly id: string; readonly holds: 'yes' | 'no' | 'unknown' }) =>
    judge(image([binary('foo', '1.0-1')]), feeds, {
      now: NOW,
      statements: [
        {
          id: statement.id,
          justification: 'vulnerable_code_cannot_be_controlled_by_adversary',
          predicate: {
            kind: 'human',
            author: 'a',
            reason: 'only root may call it',
            expiresAt: '2026-12-01T00:00:00Z',
          },
        },
      ],
      evidence: {
        architecturesOf: () => undefined,
        proposeKernel: () => [],
        evaluate: () => ({ holds: statement.holds, detail: 'a test' }),
      },
    }).findings[0];
  assert.equal(judged({ id: 'CVE-2026-0001', holds: 'yes' })?.verdict, 'not-affected');
  assert.equal(judged({ id: 'CVE-2026-0001', holds: 'no' })?.verdict, 'open');
  assert.equal(judged({ id: 'CVE-2026-0001', holds: 'unknown' })?.verdict, 'open');
  assert.equal(judged({ id: 'CVE-2026-0002', holds: 'yes' })?.verdict, 'open');
});

test('a Go flaw whose functions are not linked is not in the program; a whole package is', () => {
  const program = {
    path: '/usr/bin/etcd',
    goVersion: '',
    modules: [{ path: 'golang.org/x/net', version: 'v0.30.0' }],
    modulesRecorded: true,
    provenance: { source: 'go-build-info', locator: '/usr/bin/etcd' },
  } as const;
  const claim = {
    feed: 'osv-go',
    ecosystem: 'go',
    package: 'golang.org/x/net',
    state: 'active',
    aliases: [],
  } as const;
  const ranges = [{ introduced: '0', fixed: '0.33.0' }];
  const claims = [
    { ...claim, id: 'GO-2026-1111', ranges, symbols: { 'golang.org/x/net/http2': ['Server.ServeConn'] } },
    { ...claim, id: 'GO-2026-2222', ranges, symbols: { 'golang.org/x/net/html': [] } },
  ];
  const asked: unknown[] = [];
  const { findings } = judge(image([], { goPrograms: [program] }), knowledge([], claims), {
    now: NOW,
    evidence: {
      architecturesOf: () => undefined,
      proposeKernel: () => [],
      evaluate: (predicate) => {
        asked.push(predicate);
        return { holds: 'yes', detail: 'a test' };
      },
    },
  });
  assert.deepEqual(
    findings.map(({ vulnerability, verdict }) => [vulnerability.id, verdict]),
    [
      ['GO-2026-2222', 'open'],
      ['GO-2026-1111', 'not-affected'],
    ],
  );
  assert.deepEqual(asked, [
    {
      kind: 'go-symbol-absent',
      paths: ['/usr/bin/etcd'],
      symbols: ['golang.org/x/net/http2.Server.ServeConn', 'golang.org/x/net/http2.(*Server).ServeConn'],
    },
  ]);
});

test('a version that the release never had is not judged by what is true of the release', () => {
  const offers = [
    ['trixie', 'nginx', '1.22.1-9+deb13u3'],
    ['sid', 'nginx', '1.28.0-1'],
  ] as const;
  const claims = [
    trackerClaim('CVE-2026-10001', 'nginx', { ranges: [{ introduced: '0', fixed: '1.22.1-9+deb13u2' }] }),
    trackerClaim('CVE-2026-10001', 'nginx', {
      ...{ release: 'sid', ranges: [{ introduced: '0', fixed: '1.26.3-1' }] },
    }),
    trackerClaim('CVE-2026-10002', 'nginx', { ranges: [], stance: 'never-affected' }),
    trackerClaim('CVE-2026-10003', 'nginx', {
      ...{ release: 'sid', ranges: [{ introduced: '0', fixed: '1.26.2-1' }] },
    }),
  ];
  const verdicts = (version: string) => {
    const report = judge(image([binary('nginx', version)]), knowledge(offers, claims), { now: NOW });
    const found = report.findings.map(({ vulnerability, verdict }) => `${vulnerability.id} ${verdict}`);
    return { found: found.sort(), complete: report.complete, gaps: report.gaps.join('\n') };
  };
  const strange = verdicts('1.26.2-1~bookworm');
  assert.deepEqual(strange.found, ['CVE-2026-10001 open', 'CVE-2026-10002 unknown', 'CVE-2026-10003 open']);
  assert.match(strange.gaps, /1 sources are newer than all that trixie offers.*nginx 1\.26\.2-1~bookworm/);
  assert.equal(strange.complete, false);
  // What a backport was made from is in it.
  assert.deepEqual(verdicts('1.26.2-1~bpo13+1').found.at(-1), 'CVE-2026-10003 fixed');
  assert.deepEqual(verdicts('1.22.1-9+deb13u3').found, [
    'CVE-2026-10001 fixed',
    'CVE-2026-10002 not-affected',
  ]);
  assert.equal(verdicts('1.22.1-9+deb13u3').complete, true);
  // An update that our index, half a day old, does not have yet is of this release.
  assert.deepEqual(verdicts('1.22.1-9+deb13u4').found, [
    'CVE-2026-10001 fixed',
    'CVE-2026-10002 not-affected',
  ]);
});

test('a source that only unstable has gets no updates here; a tracker that dropped the release says nothing', () => {
  const subject = image([binary('acme', '1.0-1')]);
  const ahead = judge(subject, knowledge([['sid', 'acme', '2.0-1']]), { now: NOW });
  assert.match(ahead.gaps.join('\n'), /1 sources of the image are in no suite at hand/);
  const dropped = knowledge(
    [['trixie', 'acme', '1.0-1']],
    [trackerClaim('CVE-2026-1', 'acme', { release: 'forky', ranges: [{ introduced: '0', fixed: '2.0-1' }] })],
  );
  const report = judge(subject, dropped, { now: NOW });
  assert.equal(report.complete, false);
  assert.match(report.gaps.join('\n'), /debian-tracker says nothing of trixie/);
});

test('only a fresh feed closes anything: one with holes does not; a needed changelog that was never read is named', () => {
  const subject = image([binary('acme', '1.0-1')]);
  const claim = trackerClaim('CVE-2026-10001', 'acme', { ranges: [{ introduced: '0', fixed: '0.9-1' }] });
  const withFeeds = (feeds: typeof FRESH) =>
    judge(subject, knowledge([['trixie', 'acme', '1.0-1']], [claim], feeds), { now: NOW });
  const partial = withFeeds(
    FRESH.map((feed) =>
      feed.name === 'debian-tracker' ? { ...feed, condition: 'partial' as const, detail: 'holes' } : feed,
    ),
  );
  assert.deepEqual([partial.complete, partial.counts.unknown], [false, 1]);
  const detail = '1 of 1 changelogs are missing: golang-1.24 1.24.9-1';
  const unread = withFeeds([
    ...FRESH,
    { name: 'debian-changelogs', condition: 'missing', detail, authenticity: 'archive-signature' },
  ]);
  assert.deepEqual([unread.complete, unread.gaps], [false, [detail]]);
});

test('OSV names versions one by one, or none: neither means "not affected"', () => {
  const provenance = { source: 'spdx', locator: 'x' } as const;
  const verdict = (version: string, fields: Partial<PackageClaim>) => {
    const claim: PackageClaim = {
      ...{ feed: 'osv-npm', id: 'MAL-2026-1001', aliases: [], state: 'active', ecosystem: 'npm' },
      ...{ package: 'left-pad', ranges: [] },
      ...fields,
    };
    const feeds = [{ name: 'osv-npm', condition: 'fresh', authenticity: 'none' }] as const;
    const subject = image([], { npmModules: [{ name: 'left-pad', version, provenance }] });
    return judge(subject, knowledge([], [claim], feeds), { now: NOW }).findings[0]?.verdict;
  };
  assert.equal(verdict('1.3.1', { versions: ['1.3.0', '1.3.1'] }), 'open');
  assert.equal(verdict('1.3.2', { versions: ['1.3.0', '1.3.1'] }), 'not-affected');
  assert.equal(verdict('', { versions: ['1.3.1'] }), 'unknown');
  assert.equal(verdict('1.3.1', {}), 'unknown');
  const ranges = [{ introduced: '0', fixed: '1.0.0' }];
  assert.equal(verdict('1.3.1', { ranges, versions: ['1.3.1'] }), 'open');
  assert.equal(verdict('1.3.1', { ranges }), 'fixed');
});
