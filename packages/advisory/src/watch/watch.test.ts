import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { hashText } from '@plinth/host';
import { codeOf, scratchFolder } from '@plinth/host/testing';
import { initKeys, type KeyRing, loadKeys, parseDsse, verifyDsse } from '@plinth/trust';
import type { FeedHead, PackageClaim } from '../feeds/feed-content.ts';
import { defaultPolicy } from '../policy/index.ts';
import { parseRecord, recordProblem } from '../publish/record/read-record.ts';
import { type AdvisoryStore, openAdvisoryStore } from '../store/index.ts';
import { image } from '../testing/knowledge.testing.ts';
import { affectedSubjects, isNamedByFeeds } from './affected.ts';
import { storeInventory } from './inventory-files.ts';
import { readLedger } from './ledger.ts';
import { verifyWatch } from './verify-watch.ts';
import { type WatchResult, watch } from './watch.ts';

const DAY_MS = 24 * 3600 * 1000;
const START_MS = Date.parse('2026-11-22T06:00:00.000Z');
let folder: string;
let keys: KeyRing;

before(async () => {
  folder = await scratchFolder('watch');
  await initKeys(join(folder, 'keys'), {});
  keys = await loadKeys(join(folder, 'keys'));
});

const signing = () => ({
  ...{ signer: keys.signers.release, trusted: keys.certificates('release') },
  indexCache: join(folder, 'no-cache'),
});

/** A release folder with one package at a version. */
async function release(version: string, openssl: string, created: string): Promise<string> {
  const path = join(folder, `release-${version}`);
  await mkdir(path, { recursive: true });
  const name = `plinth_${version}_x86-64`;
  const purl = (kind: string, arch: string) =>
    `pkg:deb/debian/${kind}@${openssl}?arch=${arch}&distro=debian-13`;
  const papers = {
    manifest: {
      format: 1,
      name: 'plinth',
      version,
      architecture: 'x86-64',
      created,
      rootHash: 'ab'.repeat(32),
      kernel: { version: '6.12' },
    },
    facts: { format: 1, version, files: [], kernelConfig: {} },
    spdx: {
      ...{ spdxVersion: 'SPDX-2.3', name },
      packages: [
        {
          ...{ SPDXID: 'p', name: 'libssl3t64', versionInfo: openssl },
          externalRefs: ['amd64', 'source'].map((arch) => ({
            referenceType: 'purl',
            referenceLocator: purl(arch === 'source' ? 'openssl' : 'libssl3t64', arch),
          })),
        },
      ],
    },
  };
  for (const [kind, paper] of Object.entries(papers))
    await writeFile(join(path, `${name}.${kind}.json`), JSON.stringify(paper));
  return path;
}

/** Feeds in which openssl ~deb13u3 fixes two identifiers. */
async function feeds(): Promise<AdvisoryStore> {
  const store = await openAdvisoryStore(':memory:');
  const version = '3.5.7-1~deb13u3';
  const date = new Date(START_MS - DAY_MS).toISOString();
  for (const suite of ['trixie', 'trixie-updates', 'trixie-security']) {
    const head: FeedHead = {
      name: `debian-index:${suite}`,
      ...{ date, fetchedAt: date, validUntil: new Date(START_MS + 30 * DAY_MS).toISOString() },
      ...{ validitySource: 'feed', sha256: 'a'.repeat(64), sizeBytes: 0, authenticity: 'archive-signature' },
    };
    const offer = { source: 'openssl', version, binaries: ['libssl3t64'], changelogIn: [] };
    await store.replaceOffers(head, suite === 'trixie-security' ? [offer] : []);
  }
  const claims = ['CVE-2026-35189', 'CVE-2026-35191'].map(
    (id) => ({ id, role: 'fixes', version, text: `Fix ${id}`, confidence: 'stated' }) as const,
  );
  await store.putChangelog({
    ...{ source: 'openssl', version, state: 'read', detail: 'a test' },
    entries: [{ version, date, distributions: ['trixie-security'], claims }],
  });
  return store;
}

test('a release from its first finding to the one that has the fix: drafts, ledger, signed silence', async () => {
  const out = join(folder, 'out');
  const store = await feeds();
  const run = async (afterDays: number, ...paths: string[]): Promise<WatchResult[]> => {
    const now = new Date(START_MS + afterDays * DAY_MS);
    return await watch(paths, {
      store,
      folder: out,
      policy: defaultPolicy,
      ...signing(),
      offline: true,
      now,
    });
  };
  const old = await release('0.1.0', '3.5.7-1~deb13u2', '2026-11-01T00:00:00.000Z');

  const [first] = await run(0, old);
  assert.deepEqual([first?.changes, first?.drafts], [2, ['PLSA-2026-0001', 'PLSA-2026-0002']]);

  // Nothing new: no draft is touched, and the result is signed all the same.
  const draft = join(out, 'drafts', 'PLSA-2026-0001.json');
  const before = await readFile(draft, 'utf8');
  const [second] = await run(0.5, old);
  assert.deepEqual([second?.changes, second?.drafts], [0, []]);
  assert.equal(await readFile(draft, 'utf8'), before);
  const report = join(out, 'reports', 'plinth_0.1.0_x86-64.json');
  const envelope = parseDsse(await readFile(`${report}.dsse`, 'utf8'));
  assert.ok(envelope);
  assert.equal(verifyDsse(envelope, keys.certificates('release')).verdict, 'pass');
  const statement = JSON.parse(Buffer.from(envelope.payload, 'base64').toString('utf8'));
  assert.equal(statement.judgedAt, '2026-11-22T18:00:00.000Z');
  assert.equal(statement.reportSha256, hashText(await readFile(report)));

  // Past the target of a week: late, by a clock that starts with the index.
  const [late] = await run(8, old);
  assert.equal(late?.decisions.filter(({ clock }) => clock?.state === 'breached').length, 2);

  const fixed = await release('0.1.1', '3.5.7-1~deb13u3', '2026-11-30T00:00:00.000Z');
  const [, third] = await run(9, old, fixed);
  assert.equal(third?.report.counts.open, 0);
  const record = parseRecord(await readFile(draft), 'draft');
  assert.equal(recordProblem(record), undefined);
  assert.deepEqual(
    record.statuses.map(({ product, verdict, fixedInProduct }) => [product, verdict, fixedInProduct]),
    [
      ['plinth_0.1.0_x86-64', 'open', 'plinth_0.1.1_x86-64'],
      ['plinth_0.1.1_x86-64', 'fixed', undefined],
    ],
  );
  assert.deepEqual(
    record.revisions.map(({ number, summary }) => [number, summary]),
    [
      [1, 'plinth_0.1.0_x86-64 is open'],
      [2, 'plinth_0.1.1_x86-64 is fixed'],
    ],
  );
  const { values } = await readLedger(out, keys.certificates('release'));
  const events = values.flatMap(({ subject, events: own }) => own.map((each) => ({ subject, ...each })));
  assert.deepEqual(
    events.map(({ subject, verdict }) => [subject, verdict]),
    [
      ['plinth_0.1.0_x86-64', 'open'],
      ['plinth_0.1.0_x86-64', 'open'],
    ],
  );
  assert.equal(events[0]?.fixAvailableAt, '2026-11-21T06:00:00.000Z');
  assert.deepEqual((await readdir(join(out, 'drafts'))).sort(), [
    'PLSA-2026-0001.json',
    'PLSA-2026-0002.json',
  ]);
});

test('a ledger whose last line was cut off by a crash is read, and goes on', async () => {
  const out = join(folder, 'crash');
  const path = await release('0.2.0', '3.5.7-1~deb13u2', '2026-11-01T00:00:00.000Z');
  const options = {
    store: await feeds(),
    folder: out,
    ...{ policy: defaultPolicy, ...signing() },
    offline: true,
    now: new Date(START_MS),
  };
  await watch([path], options);
  const ledger = join(out, 'ledger.jsonl');
  await writeFile(ledger, (await readFile(ledger, 'utf8')).slice(0, -40));
  const [again] = await watch([path], options);
  assert.equal(again?.changes, 2);
  const { values, problems } = await readLedger(out, keys.certificates('release'));
  assert.deepEqual([values.length, values[0]?.events.length], [1, 2]);
  assert.match(problems.join(), /1 line is no signed line, or was cut off/);
});

test('what a watch wrote is computed anew: a line that was changed or is gone, and a report that was replaced, are told', async () => {
  const out = join(folder, 'verified');
  const store = await feeds();
  const options = { store, folder: out, policy: defaultPolicy, offline: true, ...signing() };
  const old = await release('0.4.0', '3.5.7-1~deb13u2', '2026-11-01T00:00:00.000Z');
  const fixed = await release('0.4.1', '3.5.7-1~deb13u3', '2026-11-02T00:00:00.000Z');
  const now = new Date(START_MS);
  const [first] = await watch([old], { ...options, now });
  assert.match(first?.problems.join() ?? '', /index of trixie-security .* could not be kept as proof/);
  await watch([fixed, await release('0.4.2', '3.5.7-1~deb13u1', '2026-11-03T00:00:00.000Z')], {
    ...options,
    now,
  });
  const verify = async () => {
    const { verdict, checks } = await verifyWatch(out, options);
    const of = (subject: string) => checks.find((each) => each.subject.startsWith(subject))?.verdict;
    return [verdict, of('ledger'), of('reports'), of('index'), of('clocks')];
  };
  // No index is here that could prove when a clock began.
  assert.deepEqual(await verify(), ['unknown', 'pass', 'pass', 'unknown', 'pass']);
  const path = join(out, 'ledger.jsonl');
  const whole = await readFile(path, 'utf8');
  const lines = whole.split('\n').filter((line) => line !== '');
  assert.equal(lines.length, 2);
  await writeFile(path, `${lines[1]}\n`);
  assert.deepEqual((await verify()).slice(0, 3), ['fail', 'fail', 'fail']);
  // Cut off at the end: every line that is left is sound, and the signed reports tell it all the same.
  await writeFile(path, `${lines[0]}\n`);
  assert.deepEqual((await verify()).slice(0, 3), ['fail', 'pass', 'fail']);
  await writeFile(path, `${lines[1]}\n${lines[0]}\n`);
  assert.deepEqual((await verify()).slice(0, 2), ['fail', 'fail']);
  await writeFile(path, whole);
  const report = join(out, 'reports', 'plinth_0.4.0_x86-64.json');
  await writeFile(report, (await readFile(report, 'utf8')).replace('"open"', '"fixed"'));
  assert.deepEqual((await verify()).slice(0, 3), ['fail', 'pass', 'fail']);
  const strangers = await verifyWatch(out, { trusted: [] });
  assert.equal(strangers.verdict, 'fail');
});

test('which kept releases have a flaw is told without the releases', async () => {
  const out = join(folder, 'kept');
  const store = await feeds();
  const options = {
    ...{ store, folder: out, policy: defaultPolicy, offline: true, now: new Date(START_MS) },
    ...signing(),
  };
  const paths = [
    await release('0.3.0', '3.5.7-1~deb13u2', '2026-11-01T00:00:00.000Z'),
    await release('0.3.1', '3.5.7-1~deb13u3', '2026-11-02T00:00:00.000Z'),
  ];
  await watch(paths, options);
  for (const path of paths) await rm(path, { recursive: true });
  const verdicts = async (id: string) =>
    (await affectedSubjects(store, out, id, options.now)).map(({ subject, finding }) => [
      subject,
      finding?.verdict,
    ]);
  assert.deepEqual(await verdicts('CVE-2026-35191'), [
    ['plinth_0.3.0_x86-64', 'open'],
    ['plinth_0.3.1_x86-64', 'fixed'],
  ]);
  assert.deepEqual((await verdicts('CVE-1999-0001'))[0], ['plinth_0.3.0_x86-64', undefined]);
});

test('an inventory that is damaged is refused by its name: a release that is passed over would count as clean', async () => {
  const out = join(folder, 'damaged');
  await mkdir(join(out, 'inventories'), { recursive: true });
  const store = await openAdvisoryStore(':memory:');
  for (const text of ['{"name":', '[]', '{"name":"root_1"}']) {
    await writeFile(join(out, 'inventories', 'root_1.json'), text);
    assert.equal(
      await codeOf(affectedSubjects(store, out, 'CVE-2026-20001')),
      'advisory/subject-invalid',
      text,
    );
  }
});

test('a program that is itself the module with the flaw is found among what is kept', async () => {
  const out = join(folder, 'main-module');
  const provenance = { source: 'go-build-info', locator: '/coredns' } as const;
  const main = { path: 'github.com/coredns/coredns', version: 'v1.11.0' };
  const program = {
    path: '/coredns',
    goVersion: 'go1.26.1',
    main,
    modules: [],
    modulesRecorded: true,
    provenance,
  };
  await storeInventory(join(out, 'inventories'), 'root_1', image([], { goPrograms: [program] }));
  const store = await openAdvisoryStore(':memory:');
  const date = new Date(START_MS).toISOString();
  const head: FeedHead = {
    ...{ name: 'osv-go', date, fetchedAt: date, validUntil: new Date(START_MS + DAY_MS).toISOString() },
    ...{ validitySource: 'plinth', sha256: 'a'.repeat(64), sizeBytes: 1, authenticity: 'none' },
  };
  const claim: PackageClaim = {
    ...{ feed: 'osv-go', id: 'CVE-2026-20001', aliases: [], state: 'active', ecosystem: 'go' },
    ...{ package: main.path, ranges: [{ introduced: '0', fixed: '1.11.2' }] },
  };
  await store.replaceContent(head, { date, claims: [claim], details: [] });
  const [found] = await affectedSubjects(store, out, 'CVE-2026-20001', new Date(START_MS));
  assert.equal(found?.finding?.verdict, 'open');
  assert.deepEqual(
    [await isNamedByFeeds(store, 'CVE-2026-20001'), await isNamedByFeeds(store, 'CVE-2026-20002')],
    [true, false],
  );
});
