import assert from 'node:assert/strict';
import { readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { codeOf, scratchFolder } from '@plinth/host/testing';
import { initKeys, type KeyRing, loadKeys } from '@plinth/trust';
import { type AdvisoryStore, openAdvisoryStore } from '../store/index.ts';
import { exportBundle, importBundle } from './bundle.ts';
import type { FeedHead } from './feed-content.ts';
import { stateOfFeed } from './feed-states.ts';
import { importFeed } from './import-feed.ts';

const NOW = new Date('2026-11-22T12:00:00.000Z');
let keys: KeyRing;
let folder: string;

before(async () => {
  folder = await scratchFolder('bundle');
  await initKeys(join(folder, 'keys'), {});
  keys = await loadKeys(join(folder, 'keys'));
});

function head(date: string): FeedHead {
  return {
    name: 'debian-index:trixie-security',
    ...{ date, fetchedAt: date, validUntil: '2026-11-27T00:00:00.000Z', validitySource: 'feed' },
    ...{ sha256: 'a'.repeat(64), sizeBytes: 1, authenticity: 'archive-signature' },
  };
}

async function filled(date: string): Promise<AdvisoryStore> {
  const store = await openAdvisoryStore(':memory:');
  await store.replaceOffers(head(date), [
    { source: 'curl', version: '8-1', binaries: ['curl'], changelogIn: [] },
  ]);
  await store.putChangelog({
    ...{ source: 'curl', version: '8-1', state: 'read', detail: 'curl 8-1' },
    entries: [{ version: '8-1', distributions: ['trixie-security'], claims: [] }],
  });
  return store;
}

const trusted = () => keys.certificates('release');

test('what is exported is imported, and says who vouches for it', async () => {
  const path = join(folder, 'good.bundle');
  await exportBundle(await filled('2026-11-20T00:00:00.000Z'), keys.signers.release, path, NOW);
  const store = await openAdvisoryStore(':memory:');
  assert.deepEqual((await importBundle(store, path, trusted(), NOW)).feeds, ['debian-index:trixie-security']);
  assert.equal((await store.feeds())[0]?.authenticity, 'bundle-signature');
  assert.equal((await store.offers(['curl']))[0]?.version, '8-1');
  assert.equal((await store.changelog('curl', '8-1'))?.entries[0]?.version, '8-1');
  // The same again is no step back.
  assert.equal(await codeOf(importBundle(store, path, trusted(), NOW)), 'ok');
});

test('no step back: an older bundle is refused, a feed that is newer here stays', async () => {
  const [older, newer] = [join(folder, 'older.bundle'), join(folder, 'newer.bundle')];
  await exportBundle(
    await filled('2026-11-18T00:00:00.000Z'),
    keys.signers.release,
    older,
    new Date('2026-11-19T00:00:00Z'),
  );
  await exportBundle(await filled('2026-11-20T00:00:00.000Z'), keys.signers.release, newer, NOW);
  const store = await openAdvisoryStore(':memory:');
  await importBundle(store, newer, trusted(), NOW);
  assert.equal(await codeOf(importBundle(store, older, trusted(), NOW)), 'advisory/bundle-older');
  const ahead = await filled('2026-11-21T00:00:00.000Z');
  assert.deepEqual((await importBundle(ahead, newer, trusted(), NOW)).feeds, []);
  assert.equal((await ahead.feeds())[0]?.date, '2026-11-21T00:00:00.000Z');
});

test('a bundle ends: what was valid until yesterday is refused', async () => {
  const path = join(folder, 'old.bundle');
  await exportBundle(
    await filled('2026-09-01T00:00:00.000Z'),
    keys.signers.release,
    path,
    new Date('2026-10-01T00:00:00Z'),
  );
  assert.equal(
    await codeOf(importBundle(await openAdvisoryStore(':memory:'), path, trusted(), NOW)),
    'advisory/bundle-older',
  );
});

test('one changed byte anywhere, no key, or another key: nothing is taken', async () => {
  const path = join(folder, 'changed.bundle');
  await exportBundle(await filled('2026-11-20T00:00:00.000Z'), keys.signers.release, path, NOW);
  const whole = await readFile(path);
  const store = await openAdvisoryStore(':memory:');
  for (const at of [3, 40, 200, whole.length - 30]) {
    const changed = Buffer.from(whole);
    changed.writeUInt8((changed.readUInt8(at) + 1) % 256, at);
    await writeFile(path, changed);
    assert.equal(
      await codeOf(importBundle(store, path, trusted(), NOW)),
      'advisory/bundle-untrusted',
      `byte ${at}`,
    );
  }
  await writeFile(path, whole.subarray(0, -1));
  assert.equal(await codeOf(importBundle(store, path, trusted(), NOW)), 'advisory/bundle-untrusted');
  await writeFile(path, whole);
  assert.equal(await codeOf(importBundle(store, path, [], NOW)), 'advisory/bundle-untrusted');
  assert.equal(
    await codeOf(importBundle(store, path, keys.certificates('boot'), NOW)),
    'advisory/bundle-untrusted',
  );
  assert.deepEqual(await store.feeds(), []);
});

test('documents of feeds: limits come first', async () => {
  const store = await openAdvisoryStore(':memory:');
  const refuse = async (name: string, bytes: Uint8Array | string) => {
    const path = join(folder, name);
    await writeFile(path, bytes);
    assert.equal(await codeOf(importFeed(store, path, NOW)), 'advisory/feed-invalid', name);
  };
  await refuse('deep.json', '['.repeat(200_000));
  await refuse('bomb.json.gz', gzipSync(Buffer.alloc(420 * 1024 * 1024, 0x20), { level: 1 }));
  await refuse('cut.json', '{"catalogVersion": "1", "vulnerabilities": [');
  await refuse('latin.json', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]));
  await refuse('strange.json', '{"hello": 1}');
  assert.deepEqual(await store.feeds(), []);
});

test('a feed that lost a fifth of its records was cut off; what was there stays, with the failure noted', async () => {
  const store = await openAdvisoryStore(':memory:');
  const path = join(folder, 'kev.json');
  const write = (count: number) =>
    writeFile(
      path,
      JSON.stringify({
        ...{ catalogVersion: '1', dateReleased: '2026-11-20T00:00:00Z', count },
        vulnerabilities: Array.from({ length: count }, (_, index) => ({
          cveID: `CVE-2026-${1000 + index}`,
          vulnerabilityName: 'x',
          dateAdded: '2026-11-01',
        })),
      }),
    );
  await write(10);
  assert.equal((await importFeed(store, path, NOW)).name, 'kev');
  await write(7);
  assert.equal(await codeOf(importFeed(store, path, NOW)), 'advisory/feed-invalid');
  assert.equal(await store.size('kev'), 10);
  assert.match((await store.feeds())[0]?.failure?.detail ?? '', /7 records, 10 were there before/);
});

test('a piece of a feed is taken and closes nothing; what is dated in the future is refused', async () => {
  const store = await openAdvisoryStore(':memory:');
  const path = join(folder, 'one.json');
  const record = {
    ...{ id: 'GO-2026-1001', modified: '2026-11-20T00:00:00Z' },
    affected: [{ package: { ecosystem: 'Go', name: 'stdlib' }, ranges: [] }],
  };
  await writeFile(path, JSON.stringify(record));
  await utimes(path, NOW, NOW);
  const { name, condition, detail } = stateOfFeed(await importFeed(store, path, NOW), NOW);
  assert.deepEqual(
    [name, condition, detail],
    ['osv-go', 'partial', '1 records, a whole one has at least 1000'],
  );
  const later = new Date(NOW.getTime() + 3 * 24 * 3600 * 1000);
  await utimes(path, later, later);
  assert.equal(await codeOf(importFeed(store, path, NOW)), 'advisory/feed-invalid');
  // Copied today, made in spring.
  await writeFile(path, JSON.stringify({ ...record, modified: '2026-04-01T00:00:00Z' }));
  await utimes(path, NOW, NOW);
  const old = await importFeed(await openAdvisoryStore(':memory:'), path, NOW);
  assert.equal(stateOfFeed(old, NOW).condition, 'stale');
});
