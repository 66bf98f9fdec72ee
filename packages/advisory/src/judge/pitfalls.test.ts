import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScanReport } from '../model/index.ts';
import { binary, changelogText, image, knowledge, NOW } from '../testing/knowledge.testing.ts';
import { judge } from './judge.ts';

/** Every trap of the study of this pipeline (section 1.5) and its real cases; versions and ids are the real ones. */

function open({ findings }: ScanReport): string[] {
  return findings.filter(({ verdict }) => verdict === 'open').map(({ vulnerability }) => vulnerability.id);
}

test('the clean case: openssl, two binaries of another source version', () => {
  const text = changelogText('openssl', [
    ['3.5.7-1~deb13u3', 'trixie-security', 'CVE-2026-35189 (Memory Allocation in Relative CRLDP Processing)'],
    ['3.5.7-1~deb13u2', 'trixie', 'CVE-2026-11111 (older)'],
  ]);
  const subject = image([
    binary('libssl3t64', '3.5.7-1~deb13u2', { source: 'openssl' }),
    binary('openssl', '3.5.7-1~deb13u2'),
  ]);
  const report = judge(subject, knowledge([['trixie-security', 'openssl', '3.5.7-1~deb13u3', text]]), {
    now: NOW,
  });
  assert.deepEqual(open(report), ['CVE-2026-35189']);
  const [finding] = report.findings;
  assert.deepEqual(finding?.components[0]?.binaries, ['libssl3t64', 'openssl']);
  assert.equal(finding?.components[0]?.fixVersion, '3.5.7-1~deb13u3');
  assert.equal(finding?.components[0]?.fixSuite, 'trixie-security');
  assert.equal(finding?.clocks.fixAvailableAt, '2026-11-13T00:00:00.000Z');
});

test('a version that is there is not open', () => {
  const text = changelogText('openssl', [['3.5.7-1~deb13u3', 'trixie-security', 'CVE-2026-35189 (x)']]);
  const report = judge(
    image([binary('openssl', '3.5.7-1~deb13u3')]),
    knowledge([['trixie-security', 'openssl', '3.5.7-1~deb13u3', text]]),
    { now: NOW },
  );
  assert.deepEqual(report.findings, []);
  assert.equal(report.complete, true);
});

test('epoch, "+really" and a rebuild of the binary alone: zlib is compared by its source version', () => {
  const text = changelogText('zlib', [
    ['1:1.3.dfsg+really1.3.1-1+deb13u1', 'trixie-security', 'CVE-2026-27171', 'CVE-2026-85091'],
  ]);
  const subject = image([
    binary('zlib1g', '1:1.3.dfsg+really1.3.1-1+b1', {
      source: 'zlib',
      sourceVersion: '1:1.3.dfsg+really1.3.1-1',
    }),
  ]);
  const offers = knowledge([['trixie-security', 'zlib', '1:1.3.dfsg+really1.3.1-1+deb13u1', text]]);
  assert.deepEqual(open(judge(subject, offers, { now: NOW })), ['CVE-2026-27171', 'CVE-2026-85091']);
});

test('all entries between count, whatever suite they name: curl', () => {
  const text = changelogText('curl', [
    ['8.14.1-2+deb13u7', 'trixie-security', 'CVE-2026-92392'],
    ['8.14.1-2+deb13u6', 'trixie', 'CVE-2026-8286', 'CVE-2026-8924'],
    ['8.14.1-2+deb13u5', 'trixie', 'CVE-2026-4321'],
  ]);
  const subject = image([binary('curl', '8.14.1-2+deb13u5')]);
  const report = judge(subject, knowledge([['trixie-security', 'curl', '8.14.1-2+deb13u7', text]]), {
    now: NOW,
  });
  assert.deepEqual(open(report), ['CVE-2026-8286', 'CVE-2026-8924', 'CVE-2026-92392']);
});

test('the top entry only says "Rebuild": expat; and what a version for stable was made from is in it', () => {
  const text = changelogText('expat', [
    ['2.9.0-1~deb13u1', 'trixie-security', 'Rebuild for trixie-security'],
    ['2.9.0-1', 'unstable', 'New upstream release, fixing CVE-2026-66046'],
    ['2.8.4-1', 'unstable', 'Fix CVE-2026-72522'],
    ['2.8.3-1', 'unstable', 'Fix CVE-2026-10001'],
  ]);
  const subject = image([binary('libexpat1', '2.8.3-1~deb13u1', { source: 'expat' })]);
  const report = judge(subject, knowledge([['trixie-security', 'expat', '2.9.0-1~deb13u1', text]]), {
    now: NOW,
  });
  assert.deepEqual(open(report), ['CVE-2026-66046', 'CVE-2026-72522']);
});

test('the kernel image comes from a signed source: 6.12.117+1 is linux 6.12.117-1, by the version or by Built-Using', () => {
  const text = changelogText('linux', [
    ['6.12.117-1', 'trixie-security', 'f2fs: fix a leak (CVE-2026-10002)'],
  ]);
  const signed = { source: 'linux-signed-amd64' };
  const offers = knowledge([['trixie-security', 'linux', '6.12.117-1', text]]);
  const name = 'linux-image-6.12.107+deb13-cloud-amd64';
  const before = image([binary(name, '6.12.107-1', { ...signed, sourceVersion: '6.12.107+1' })]);
  assert.deepEqual(open(judge(before, offers, { now: NOW })), ['CVE-2026-10002']);
  const after = image([
    binary(name, '6.12.117-1', {
      ...signed,
      sourceVersion: '6.12.117+1',
      builtUsing: [{ source: 'linux', version: '6.12.117-1' }],
    }),
  ]);
  assert.deepEqual(judge(after, offers, { now: NOW }).findings, []);
  const tool = image([
    binary('bpftool', '7.5.0+6.12.107-1', { source: 'linux', sourceVersion: '6.12.107-1' }),
  ]);
  assert.deepEqual(open(judge(tool, offers, { now: NOW })), ['CVE-2026-10002']);
});

test('a mention is not a fix: jq repairs a regression; the update is open, the identifier is not', () => {
  const text = changelogText('jq', [
    ['1.7.1-6+deb13u4', 'trixie-security', 'Fix regression introduced by the fix for CVE-2026-44777'],
    ['1.7.1-6+deb13u3', 'trixie-security', 'Fix CVE-2026-44777'],
  ]);
  const subject = image([binary('jq', '1.7.1-6+deb13u3')]);
  const report = judge(subject, knowledge([['trixie-security', 'jq', '1.7.1-6+deb13u4', text]]), {
    now: NOW,
  });
  assert.deepEqual(open(report), ['UPDATE:jq/1.7.1-6+deb13u4']);
  assert.equal(report.findings[0]?.evidence.at(-1)?.speaksFor, 'mentions');
});

test('a dropped patch is no news: c-ares', () => {
  const text = changelogText('c-ares', [
    ['1.34.9-1~deb13u1', 'trixie-security', 'Rebuild for trixie'],
    [
      '1.34.9-1',
      'unstable',
      'New upstream release, fixing CVE-2026-33630',
      'Drop CVE-2025-62408.patch, included upstream',
    ],
    ['1.34.5-1', 'unstable', 'Something'],
  ]);
  const subject = image([binary('libcares2', '1.34.5-1+deb13u1', { source: 'c-ares' })]);
  const report = judge(subject, knowledge([['trixie-security', 'c-ares', '1.34.9-1~deb13u1', text]]), {
    now: NOW,
  });
  assert.deepEqual(open(report), ['CVE-2026-33630']);
});

test('what was mended on a branch of its own is not open again; a second fix on the same branch is meant', () => {
  const next = changelogText('c-ares', [
    ['1.34.9-1~deb13u1', 'trixie-security', 'Rebuild for trixie'],
    ['1.34.9-1', 'unstable', 'New upstream release, fixing CVE-2026-33630', 'Fix CVE-2025-62408'],
    ['1.34.5-1', 'unstable', 'Something'],
  ]);
  const own = changelogText('c-ares', [
    ['1.34.5-1+deb13u1', 'trixie', 'Fix CVE-2025-62408'],
    ['1.34.5-1', 'unstable', 'Something'],
  ]);
  const subject = image([binary('libcares2', '1.34.5-1+deb13u1', { source: 'c-ares' })]);
  const offers = [
    ['trixie-security', 'c-ares', '1.34.9-1~deb13u1', next],
    ['trixie', 'c-ares', '1.34.5-1+deb13u1', own],
  ] as const;
  assert.deepEqual(open(judge(subject, knowledge(offers), { now: NOW })), ['CVE-2026-33630']);
  // As it really is: the entry for stable stands in the changelog from unstable too.
  const merged = changelogText('c-ares', [
    ['1.34.9-1~deb13u1', 'trixie-security', 'Rebuild for trixie, fixing CVE-2026-33630'],
    ['1.34.6-1', 'unstable', 'New upstream release (fixes CVE-2025-62408)'],
    ['1.34.5-1+deb13u1', 'trixie', 'Fix CVE-2025-62408'],
    ['1.34.5-1', 'unstable', 'Something'],
  ]);
  const one = knowledge([['trixie-security', 'c-ares', '1.34.9-1~deb13u1', merged]]);
  assert.deepEqual(open(judge(subject, one, { now: NOW })), ['CVE-2026-33630']);
  const again = changelogText('jq', [
    ['1.7.1-6+deb13u3', 'trixie-security', 'Fix CVE-2024-53427'],
    ['1.7.1-6+deb13u2', 'trixie', 'Fix CVE-2024-53427'],
  ]);
  const before = changelogText('jq', [['1.7.1-6+deb13u2', 'trixie', 'Fix CVE-2024-53427']], 11);
  const jq = image([binary('jq', '1.7.1-6+deb13u2')]);
  const both = knowledge([
    ['trixie-security', 'jq', '1.7.1-6+deb13u3', again],
    ['trixie', 'jq', '1.7.1-6+deb13u2', before],
  ]);
  assert.deepEqual(open(judge(jq, both, { now: NOW })), ['CVE-2024-53427']);
});

test('a security update without any identifier starts the clock: ca-certificates', () => {
  const text = changelogText('ca-certificates', [['20250419+deb13u1', 'trixie-security', 'Distrust a CA']]);
  const subject = image([binary('ca-certificates', '20250419')]);
  const report = judge(
    subject,
    knowledge([['trixie-security', 'ca-certificates', '20250419+deb13u1', text]]),
    { now: NOW },
  );
  assert.deepEqual(open(report), ['UPDATE:ca-certificates/20250419+deb13u1']);
  // The same in trixie-updates is no security update: tzdata.
  const data = image([binary('tzdata', '2026a-1')]);
  const zones = changelogText('tzdata', [['2026c-0+deb13u1', 'trixie', 'New zones']]);
  assert.deepEqual(
    judge(data, knowledge([['trixie-updates', 'tzdata', '2026c-0+deb13u1', zones]]), { now: NOW }).findings,
    [],
  );
});

test('a changelog that cannot be had makes it unknown, and says so; it is never clean', () => {
  const subject = image([binary('vim', '2:9.1.1230-2')]);
  const report = judge(subject, knowledge([['trixie-security', 'vim', '2:9.1.1230-2+deb13u1']]), {
    now: NOW,
  });
  assert.equal(report.findings[0]?.verdict, 'unknown');
  assert.equal(report.findings[0]?.unknownSince, '2026-11-13T00:00:00.000Z');
  assert.match(report.findings[0]?.reason ?? '', /which identifiers it fixes is not known/);
});

test('Built-Using: containerd carries golang-1.24, whose own series is closed; a later series is a lead, not a verdict', () => {
  const subject = image([
    binary('containerd', '1.7.24~ds1-6', { builtUsing: [{ source: 'golang-1.24', version: '1.24.4-1' }] }),
  ]);
  const own = changelogText('golang-1.24', [['1.24.4-1', 'unstable', 'New upstream, fixing CVE-2025-4673']]);
  const next = changelogText('golang-1.25', [
    ['1.25.12-1', 'unstable', 'New upstream, fixing CVE-2026-39822'],
  ]);
  const report = judge(
    subject,
    knowledge([
      ['trixie', 'containerd', '1.7.24~ds1-6'],
      ['trixie', 'golang-1.24', '1.24.4-1', own.replace('12 Nov 2026', '16 Jun 2025').replace('Thu', 'Mon')],
      ['trixie-backports', 'golang-1.25', '1.25.12-1', next],
    ]),
    { now: NOW },
  );
  assert.deepEqual(open(report), []);
  const [finding] = report.findings;
  assert.equal(finding?.vulnerability.id, 'CVE-2026-39822');
  assert.equal(finding?.verdict, 'unknown');
  assert.match(finding?.components[0]?.via ?? '', /^containerd .* was built using golang-1.24 1.24.4-1$/);
});

test('a newer version of the same Go series leaves the program open; the same names in two series are mended once', () => {
  const program = {
    path: '/usr/bin/kubelet',
    modules: [],
    modulesRecorded: true,
    provenance: { source: 'go-build-info', locator: '/usr/bin/kubelet' },
  } as const;
  const six = changelogText('golang-1.26', [
    ['1.26.11-1', 'unstable', 'New upstream version 1.26.11', '+ CVE-2026-97054: net/http: crash'],
    ['1.26.10-1', 'unstable', '+ CVE-2026-111943: crypto/tls: leak'],
  ]);
  const seven = changelogText('golang-1.27', [['1.27.4-1', 'unstable', '+ CVE-2026-97054: net/http: crash']]);
  const feeds = knowledge([
    ['trixie-backports', 'golang-1.26', '1.26.11-1', six],
    ['trixie-backports', 'golang-1.27', '1.27.4-1', seven],
  ]);
  const old = image([], { goPrograms: [{ ...program, goVersion: 'go1.26.10' }] });
  assert.deepEqual(open(judge(old, feeds, { now: NOW })), ['CVE-2026-97054']);
  // Nobody says when 1.25.9 was made; entries of series before it are no news all the same.
  const inherited = changelogText('golang-1.27', [
    ['1.27.4-1', 'unstable', '+ CVE-2026-97054: net/http: crash'],
    ['1.12.8-1', 'unstable', '+ CVE-2019-9512: net/http: flood'],
  ]);
  const older = image([], { goPrograms: [{ ...program, goVersion: 'go1.25.9' }] });
  const later = judge(older, knowledge([['trixie-backports', 'golang-1.27', '1.27.4-1', inherited]]), {
    now: NOW,
  });
  assert.deepEqual(
    later.findings.map(({ vulnerability, verdict }) => [vulnerability.id, verdict]),
    [['CVE-2026-97054', 'unknown']],
  );
  const current = image([], { goPrograms: [{ ...program, goVersion: 'go1.26.11' }] });
  assert.deepEqual(judge(current, feeds, { now: NOW }).findings, []);
});
