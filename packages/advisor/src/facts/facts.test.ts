import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { ageDays, allFactsAt, factsAt, findSubject, holdsAt, isStale } from './at-date.ts';
import { daysBetween, isoDate } from './dates.ts';
import { dataFolder, loadKnowledge } from './load.ts';
import { compareVersions, covers, isRange, minorOf } from './version-range.ts';
import { platformIds } from './vocabulary.ts';

const knowledge = await loadKnowledge();

test('every system and platform that was asked for has a file', () => {
  const ids = knowledge.systems.map(({ id }) => id);
  for (const id of [
    ...[
      'azure-linux-os-guard',
      'azure-container-linux',
      'flatcar',
      'ubuntu',
      'azure-linux',
      'talos',
      'bottlerocket',
    ],
    ...[
      'container-optimized-os',
      'containeros',
      'fedora-coreos',
      'kairos',
      'photonos',
      'rancheros',
      'k3os',
      'plinth',
    ],
  ])
    assert.ok(ids.includes(id), id);
  assert.deepEqual(knowledge.platforms.map(({ id }) => id).sort(), [...platformIds].sort());
});

test('every fact has a source with title, publisher and date; none has an address that nobody can check', async () => {
  for (const subject of [...knowledge.systems, ...knowledge.platforms]) {
    for (const [key, entries] of Object.entries(subject.facts)) {
      for (const { source, from, until } of entries) {
        const found = knowledge.sources[source];
        assert.ok(found && isoDate.safeParse(found.read).success, `${subject.id} ${key}`);
        assert.ok(found.copy === undefined || found.copy <= found.read, source);
        assert.ok(from === undefined || until === undefined || from < until, `${subject.id} ${key}`);
      }
    }
    assert.doesNotMatch(JSON.stringify(subject), /https?:/, subject.id);
  }
});

test('a source that is listed is one that is used', async () => {
  const folders = await readdir(dataFolder, { recursive: true });
  const files = folders.filter((name) => name.endsWith('.yaml') && name !== 'sources.yaml');
  const texts = await Promise.all(files.map((name) => readFile(join(dataFolder, name), 'utf8')));
  const used = new Set(
    texts.flatMap((text) => [...text.matchAll(/source: ([a-z0-9-]+)/g)].map(([, id]) => id)),
  );
  assert.deepEqual(
    Object.keys(knowledge.sources).filter((id) => !used.has(id)),
    [],
  );
});

test('no two general statements about the same thing hold on one day: they would be a contradiction without saying so', () => {
  for (const subject of [...knowledge.systems, ...knowledge.platforms]) {
    for (const [key, entries] of Object.entries(subject.facts)) {
      const days = new Set(
        entries.flatMap(({ from, until }) => [from ?? '2020-01-01', until ?? '2030-01-01']),
      );
      for (const day of days) {
        const holding = entries.filter((entry) => holdsAt(entry, day));
        const scopes = holding.flatMap(({ on }) => on ?? ['everywhere']);
        assert.equal(new Set(scopes).size, scopes.length, `${subject.id} ${key} on ${day}`);
      }
    }
  }
});

test('a retirement is known from the day it was told, and holds from its own', () => {
  const system = findSubject(knowledge.systems, 'azure-linux-os-guard');
  const at = (day: string) => factsAt(knowledge, system, day, 'aks');
  assert.equal(at('2026-09-03').get('retires'), undefined);
  assert.equal(at('2026-09-04').get('retires')?.value, '2026-12-10');
  assert.equal(at('2026-12-09').get('status')?.value, 'preview');
  assert.equal(at('2026-12-10').get('status')?.value, 'retired');
  assert.equal(at('2027-03-10').get('status')?.value, 'removed');
});

test('the retirement of Flatcar for AKS counts from its announcement, three months before it', () => {
  const flatcar = findSubject(knowledge.systems, 'flatcar');
  const retires = (day: string, platform: string) =>
    factsAt(knowledge, flatcar, day, platform).get('retires')?.value;
  assert.equal(retires('2026-03-09', 'aks'), undefined);
  assert.equal(retires('2026-03-10', 'aks'), '2026-06-08');
  assert.equal(retires('2026-11-22', 'bare-metal'), undefined);
});

test('what holds on a platform goes before what holds in general, and both contradicting sources are kept', () => {
  const flatcar = findSubject(knowledge.systems, 'flatcar');
  assert.equal(factsAt(knowledge, flatcar, '2026-11-22', 'aks').get('status')?.value, 'removed');
  assert.equal(factsAt(knowledge, flatcar, '2026-11-22', 'on-premises').get('status')?.value, 'active');
  const guard = findSubject(knowledge.systems, 'azure-linux-os-guard');
  const fips = factsAt(knowledge, guard, '2026-11-22', 'aks').get('fips');
  assert.equal(fips?.value, 'always');
  assert.deepEqual(
    fips?.conflicts.map(({ source }) => source.title),
    ['azure-aks-docs: enable-fips-nodes', 'azure-aks-docs: use-trusted-launch'],
  );
});

test('a fact is as old as the text it was read in, not as the day of reading', () => {
  const bottlerocket = findSubject(knowledge.systems, 'bottlerocket');
  const facts = allFactsAt(knowledge, bottlerocket, '2026-11-22');
  const stale = (key: string) => {
    const fact = facts.find((one) => one.key === key);
    assert.ok(fact, key);
    return { days: ageDays(fact, '2026-11-22'), isStale: isStale(fact, '2026-11-22') };
  };
  // Read on the same day: a repository of October 2024, and issues of September 2026.
  assert.deepEqual(stale('update-protocol'), { days: 752, isStale: true });
  assert.deepEqual(stale('uki'), { days: 53, isStale: false });
  // A copy without a day, so nobody can say that it is fresh.
  assert.deepEqual(stale('purpose'), { days: undefined, isStale: true });
});

test('an unknown system is told with the one that was meant', () => {
  assert.throws(
    () => findSubject(knowledge.systems, 'talso'),
    (error: unknown) => {
      assert.ok(error instanceof PlinthError);
      assert.equal(error.code, 'advisor/unknown-system');
      assert.equal(error.hint, 'Did you mean talos?');
      return true;
    },
  );
});

test('broken data are refused with file, line, column and the key that was meant; all problems at once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'advisor-'));
  try {
    await cp(dataFolder, folder, { recursive: true });
    const file = join(folder, 'systems', 'talos.yaml');
    const text = (await readFile(file, 'utf8'))
      .replace('  filesystem:', '  filesytem:')
      .replace(
        'arm64: [{ value: "yes", source: talos-docs }]',
        'arm64: [{ value: maybe, source: talos-doc }]',
      )
      .replace('value: active', 'from: 2026-02-30, value: active');
    await writeFile(file, text);
    await assert.rejects(loadKnowledge(folder), (error: unknown) => {
      assert.ok(error instanceof PlinthError);
      assert.equal(error.code, 'advisor/data-invalid');
      const told = error.diagnostics.map(({ message, hint, span }) => {
        assert.equal(span?.file, file);
        const line = text.split('\n')[(span?.line ?? 0) - 1] ?? '';
        return [
          line.slice((span?.column ?? 0) - 1).slice(0, span?.length),
          message.split(': ').slice(1).join(': '),
          hint,
        ];
      });
      assert.deepEqual(told, [
        ['2026-02-30', 'it is no day of the calendar, expected the form 2026-11-22', undefined],
        ['maybe', '"value" has another value, expected one of yes, no, limited', undefined],
        ['talos-doc', 'no source is called "talos-doc", did you mean "talos-docs"?', undefined],
        ['filesytem', 'unknown key "filesytem"', 'did you mean "filesystem"?'],
      ]);
      return true;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('days: the calendar decides what is one, and counting goes both ways', () => {
  for (const day of ['2026-02-29', '2026-13-01', '2026-1-1', 'today', '', '2026-11-22T00:00:00Z'])
    assert.equal(isoDate.safeParse(day).success, false, day);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 40_000 }), fc.integer({ min: 0, max: 40_000 }), (a, b) => {
      const dayOf = (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10);
      const [from, to] = [dayOf(a), dayOf(b)];
      assert.ok(isoDate.safeParse(from).success);
      assert.equal(daysBetween(from, to), b - a);
    }),
  );
});

test('versions: ranges include their ends, and order is that of numbers', () => {
  assert.equal(covers('1.28-1.36', 'v1.36.9'), true);
  assert.equal(covers('1.28-1.36', '1.4'), false);
  assert.equal(covers('>=1.34', '1.34.1-gke.2364000'), true);
  assert.equal(covers('<=1.36', '1.37'), false);
  assert.equal(minorOf('1.34.1-gke.5'), '1.34');
  assert.equal(minorOf('latest'), undefined);
  for (const text of ['1.2-', '>1.2', '1', 'ALL', '']) assert.equal(isRange(text), false, text);
  const version = fc.tuple(fc.nat(3), fc.nat(99)).map(([a, b]) => `${a}.${b}`);
  fc.assert(
    fc.property(version, version, version, (from, to, at) => {
      const inside = compareVersions(from, at) <= 0 && compareVersions(at, to) <= 0;
      assert.equal(covers(`${from}-${to}`, at), inside);
      assert.equal(compareVersions(from, to) + compareVersions(to, from), 0);
    }),
  );
});
