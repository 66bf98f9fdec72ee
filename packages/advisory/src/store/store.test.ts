import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { suite, test } from 'node:test';
import { promisify } from 'node:util';
import { scratchFolder } from '@plinth/host/testing';
import { openAdvisoryStore } from './open-store.ts';
import { storeContract } from './store-contract.testing.ts';

const STORE = new URL('./open-store.ts', import.meta.url).href;

/** A writer in a process of its own: replaces the same feed again and again, with as many offers as its number says. */
const WRITER = `
const { openAdvisoryStore } = await import(process.env.STORE);
const store = await openAdvisoryStore(process.env.FILE);
const count = Number(process.env.COUNT);
for (let round = 0; round < 15; round++) {
  const offers = Array.from({ length: count }, (_, index) => ({ source: 's' + index, version: String(count), binaries: [], changelogIn: [] }));
  await store.replaceOffers({ name: 'debian-index:sid', date: '2026-11-20', fetchedAt: '', validUntil: '', validitySource: 'feed', sha256: '', sizeBytes: 0, authenticity: 'none' }, offers);
}
await store.close();`;

test('two processes at once: both finish, and what is there is the whole of one of them', async () => {
  const file = join(await scratchFolder('store'), 'feeds.sqlite');
  const writer = (count: number) =>
    promisify(execFile)(process.execPath, ['--input-type=module', '--eval', WRITER], {
      env: { ...process.env, STORE, FILE: file, COUNT: String(count) },
    });
  await Promise.all([writer(300), writer(200)]);
  const store = await openAdvisoryStore(file);
  const size = await store.size('debian-index:sid');
  assert.ok(size === 300 || size === 200, `${size} offers`);
  assert.equal((await store.offers(['s0']))[0]?.version, String(size));
  await store.close();
});

suite('a store in a file of SQLite', () => {
  let number = 0;
  storeContract(async () => join(await scratchFolder('store'), `${number++}.sqlite`));
});

test('a file that is no database, or one of a newer Plinth, is refused with its name', async () => {
  const folder = await scratchFolder('store');
  const broken = join(folder, 'broken.sqlite');
  await writeFile(broken, 'this is no database, whatever its name says'.repeat(100));
  await assert.rejects(openAdvisoryStore(broken), {
    code: 'advisory/store-failed',
    message: /broken\.sqlite/,
  });
  const newer = join(folder, 'newer.sqlite');
  const database = new DatabaseSync(newer);
  database.exec('PRAGMA user_version = 99');
  database.close();
  await assert.rejects(openAdvisoryStore(newer), { code: 'advisory/store-failed', message: /version 99/ });
});

test('changelogs that were read by other rules are read again; the rest stays', async () => {
  const file = join(await scratchFolder('store'), 'feeds.sqlite');
  const first = await openAdvisoryStore(file);
  await first.putChangelog({ source: 'a', version: '1', state: 'read', detail: '', entries: [] });
  await first.close();
  const same = await openAdvisoryStore(file);
  assert.equal((await same.changelog('a', '1'))?.state, 'read');
  await same.close();
  const database = new DatabaseSync(file);
  database.exec("INSERT INTO flaws_seen VALUES ('CVE-2026-1234', '2026-11-20'); PRAGMA application_id = 7");
  database.close();
  const later = await openAdvisoryStore(file);
  assert.equal(await later.changelog('a', '1'), undefined);
  await later.close();
  const kept = new DatabaseSync(file);
  assert.equal(kept.prepare('SELECT id FROM flaws_seen').get()?.['id'], 'CVE-2026-1234');
  kept.close();
});
