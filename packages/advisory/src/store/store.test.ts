import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { scratchFolder } from '@plinth/host/testing';
import { openSqliteStore } from './sqlite-store.ts';

const STORE = new URL('./sqlite-store.ts', import.meta.url).href;

/** A writer in a process of its own: replaces the same feed again and again, with as many offers as its number says. */
const WRITER = `
const { openSqliteStore } = await import(process.env.STORE);
const store = openSqliteStore(process.env.FILE);
const count = Number(process.env.COUNT);
for (let round = 0; round < 15; round++) {
  const offers = Array.from({ length: count }, (_, index) => ({ source: 's' + index, version: String(count), binaries: [], changelogIn: [] }));
  store.replaceOffers({ name: 'debian-index:sid', date: '2026-11-20', fetchedAt: '', validUntil: '', validitySource: 'feed', sha256: '', sizeBytes: 0, authenticity: 'none' }, offers);
}
store.close();`;

test('two runs at once: both finish, and what is there is the whole of one of them', async () => {
  const file = join(await scratchFolder('store'), 'feeds.sqlite');
  const writer = (count: number) =>
    promisify(execFile)(process.execPath, ['--input-type=module', '--eval', WRITER], {
      env: { ...process.env, STORE, FILE: file, COUNT: String(count) },
    });
  await Promise.all([writer(300), writer(200)]);
  const store = openSqliteStore(file);
  const size = store.size('debian-index:sid');
  assert.ok(size === 300 || size === 200, `${size} offers`);
  assert.equal(store.offers(['s0'])[0]?.version, String(size));
  store.close();
});

test('a run that dies in the middle of a feed leaves the feed as it was', async () => {
  const file = join(await scratchFolder('store'), 'feeds.sqlite');
  const store = openSqliteStore(file);
  const head = {
    name: 'debian-index:sid',
    date: '2026-11-20',
    fetchedAt: '',
    validUntil: '',
    validitySource: 'feed',
    sha256: '',
    sizeBytes: 0,
    authenticity: 'none',
  } as const;
  const offer = (version: string) => ({ source: 'a', version, binaries: [], changelogIn: [] });
  store.replaceOffers(head, [offer('1')]);
  const dying = function* () {
    yield offer('2');
    throw new Error('power is gone');
  };
  assert.throws(() => store.replaceOffers({ ...head, date: '2026-11-21' }, dying()), {
    code: 'advisory/store-failed',
  });
  assert.equal(store.offers(['a'])[0]?.version, '1');
  assert.equal(store.feeds()[0]?.date, '2026-11-20');
  store.close();
});

test('an older feed does not replace a newer one', () => {
  const store = openSqliteStore(':memory:');
  const head = {
    name: 'debian-index:sid',
    date: '2026-11-20',
    fetchedAt: '',
    validUntil: '',
    validitySource: 'feed',
    sha256: '',
    sizeBytes: 0,
    authenticity: 'none',
  } as const;
  store.replaceOffers(head, []);
  assert.throws(() => store.replaceOffers({ ...head, date: '2026-11-19' }, []), {
    code: 'advisory/bundle-older',
  });
});

test('the first index with a version is remembered when later ones carry it on', () => {
  const store = openSqliteStore(':memory:');
  const head = {
    name: 'debian-index:sid',
    fetchedAt: '',
    validUntil: '',
    validitySource: 'feed',
    sizeBytes: 0,
    authenticity: 'none',
  } as const;
  const offers = [{ source: 'a', version: '1', binaries: [], changelogIn: [] }];
  store.replaceOffers({ ...head, date: '2026-11-20', sha256: 'first' }, offers);
  store.replaceOffers({ ...head, date: '2026-11-21', sha256: 'second' }, offers);
  assert.deepEqual(store.offers(['a'])[0]?.firstSeen, { indexDate: '2026-11-20', indexSha256: 'first' });
});

test('when an identifier was first seen stays', () => {
  const store = openSqliteStore(':memory:');
  assert.equal(store.seen(['CVE-2026-0001'], '2026-11-20').get('CVE-2026-0001'), '2026-11-20');
  const later = store.seen(['CVE-2026-0001', 'CVE-2026-0002'], '2026-11-22');
  assert.deepEqual([...later.values()].sort(), ['2026-11-20', '2026-11-22']);
});

test('a file that is no database, or one of a newer Plinth, is refused with its name', async () => {
  const folder = await scratchFolder('store');
  const broken = join(folder, 'broken.sqlite');
  await writeFile(broken, 'this is no database, whatever its name says'.repeat(100));
  assert.throws(() => openSqliteStore(broken), { code: 'advisory/store-failed', message: /broken\.sqlite/ });
  const newer = join(folder, 'newer.sqlite');
  const database = new DatabaseSync(newer);
  database.exec('PRAGMA user_version = 99');
  database.close();
  assert.throws(() => openSqliteStore(newer), { code: 'advisory/store-failed', message: /version 99/ });
});

test('changelogs that were read by other rules are read again; the rest stays', async () => {
  const file = join(await scratchFolder('store'), 'feeds.sqlite');
  const first = openSqliteStore(file);
  first.putChangelog({ source: 'a', version: '1', state: 'read', detail: '', entries: [] });
  first.close();
  const same = openSqliteStore(file);
  assert.equal(same.changelog('a', '1')?.state, 'read');
  same.close();
  const database = new DatabaseSync(file);
  database.exec("INSERT INTO flaws_seen VALUES ('CVE-2026-1234', '2026-11-20'); PRAGMA application_id = 7");
  database.close();
  const later = openSqliteStore(file);
  assert.equal(later.changelog('a', '1'), undefined);
  later.close();
  const kept = new DatabaseSync(file);
  assert.equal(kept.prepare('SELECT id FROM flaws_seen').get()?.['id'], 'CVE-2026-1234');
  kept.close();
});
