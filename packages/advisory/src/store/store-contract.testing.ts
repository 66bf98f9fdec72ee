import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FeedHead, FlawDetail, PackageClaim } from '../feeds/feed-content.ts';
import { openAdvisoryStore } from './open-store.ts';
import type { AdvisoryStore } from './store.ts';

const HEAD = {
  ...{ name: 'debian-index:sid', date: '2026-11-20', fetchedAt: '', validUntil: '' },
  ...{ validitySource: 'feed', sha256: 'first', sizeBytes: 0, authenticity: 'none' },
} as const satisfies FeedHead;
const offer = (source: string, version: string) => ({ source, version, binaries: [source], changelogIn: [] });
const claim = (id: string, name: string): PackageClaim => ({
  ...{ feed: 'osv-debian', id, aliases: [`GHSA-${id}`], state: 'active', ecosystem: 'debian' },
  ...{ package: name, release: 'trixie', ranges: [{ introduced: '0' }] },
});

/** storeContract tests what holds for every database that keeps advisories. @param freshAddress of an empty one, another each time */
export function storeContract(freshAddress: () => Promise<string>): void {
  const fresh = async (): Promise<AdvisoryStore> => openAdvisoryStore(await freshAddress());

  test('a run that dies in the middle of a feed leaves the feed as it was', async () => {
    const store = await fresh();
    await store.replaceOffers(HEAD, [offer('a', '1')]);
    const dying = function* () {
      yield offer('a', '2');
      throw new Error('power is gone');
    };
    await assert.rejects(store.replaceOffers({ ...HEAD, date: '2026-11-21' }, dying()), {
      code: 'advisory/store-failed',
    });
    assert.equal((await store.offers(['a']))[0]?.version, '1');
    assert.equal((await store.feeds())[0]?.date, '2026-11-20');
    await store.close();
  });

  test('an older feed does not replace a newer one', async () => {
    const store = await fresh();
    await store.replaceOffers(HEAD, []);
    await assert.rejects(store.replaceOffers({ ...HEAD, date: '2026-11-19' }, []), {
      code: 'advisory/bundle-older',
    });
    await store.close();
  });

  test('the first index with a version is remembered when later ones carry it on', async () => {
    const store = await fresh();
    await store.replaceOffers(HEAD, [offer('a', '1')]);
    await store.replaceOffers({ ...HEAD, date: '2026-11-21', sha256: 'second' }, [offer('a', '1')]);
    const [found] = await store.offers(['a', 'absent', 'a']);
    assert.deepEqual(found?.firstSeen, { indexDate: '2026-11-20', indexSha256: 'first' });
    await store.close();
  });

  test('when an identifier was first seen stays', async () => {
    const store = await fresh();
    assert.equal((await store.seen(['CVE-2026-0001'], '2026-11-20')).get('CVE-2026-0001'), '2026-11-20');
    const later = await store.seen(['CVE-2026-0001', 'CVE-2026-0002'], '2026-11-22');
    assert.deepEqual([...later.values()].sort(), ['2026-11-20', '2026-11-22']);
    await store.close();
  });

  test('the high water rises and never falls', async () => {
    const store = await fresh();
    assert.equal(await store.highWater('bundle'), undefined);
    for (const date of ['2026-11-20', '2026-11-22', '2026-11-21']) await store.raiseHighWater('bundle', date);
    assert.equal(await store.highWater('bundle'), '2026-11-22');
    await store.close();
  });

  test('a feed is replaced whole, and found by package, by identifier and by its other names', async () => {
    const store = await fresh();
    const head = { ...HEAD, name: 'osv-debian' } as const;
    const detail = (id: string, title: string): FlawDetail => ({
      ...{ feed: 'osv-debian', id, aliases: [], state: 'active', severities: [] },
      title,
    });
    await store.replaceContent(head, {
      date: HEAD.date,
      claims: [claim('CVE-2026-0001', 'curl'), claim('CVE-2026-0002', 'expat')],
      // The same name twice: the last word counts.
      details: [detail('CVE-2026-0001', 'first'), detail('CVE-2026-0001', "it's \u00fc 100% ? $1")],
    });
    assert.deepEqual(
      (await store.claims('debian', ['curl'])).map(({ id }) => id),
      ['CVE-2026-0001'],
    );
    assert.deepEqual(await store.aliases(['GHSA-CVE-2026-0001']), [['GHSA-CVE-2026-0001', 'CVE-2026-0001']]);
    assert.deepEqual(await store.details(['CVE-2026-0001']), [
      detail('CVE-2026-0001', "it's \u00fc 100% ? $1"),
    ]);
    assert.deepEqual([...(await store.packagesNamedWith(['CVE-2026-0002']))], ['debian expat']);
    assert.equal(await store.size('osv-debian'), 3);
    await store.replaceContent(
      { ...head, date: '2026-11-21' },
      { date: '2026-11-21', claims: [], details: [] },
    );
    assert.equal(await store.size('osv-debian'), 0);
    await store.close();
  });

  test('a changelog comes back as it went in, is found by what it names, and all of it is in the dump', async () => {
    const store = await fresh();
    const entries = [
      {
        version: '2',
        distributions: ['sid'],
        claims: [{ id: 'CVE-2026-0003', role: 'fixes', version: '2', text: 'x', confidence: 'stated' }],
      },
      { version: '1', date: '2026-11-01', distributions: ['sid'], claims: [] },
    ] as const;
    await store.putChangelog({ source: 'curl', version: '2', state: 'read', detail: 'curl 2', entries });
    await store.putChangelog({ source: 'curl', version: '2', state: 'read', detail: 'again', entries });
    const found = await store.changelog('curl', '2');
    assert.equal(found?.detail, 'again');
    assert.deepEqual(
      found?.entries.map((entry) => ({ ...entry, claims: entry.claims() })),
      entries,
    );
    assert.deepEqual([...(await store.packagesNamedWith(['CVE-2026-0003']))], ['debian curl']);
    assert.deepEqual((await store.dump()).changelogs[0]?.entries, entries);
    await store.close();
  });

  test('names are ordered by their bytes, and thousands are as good as one', async () => {
    const store = await fresh();
    const names = Array.from({ length: 2_500 }, (_, number) => `golang-1.${number}`);
    await store.replaceOffers(
      HEAD,
      [...names, 'golang-2', 'Golang-1.0', 'golang-1'].map((name) => offer(name, '1')),
    );
    assert.deepEqual(await store.sourcesLike('golang-1.'), names.toSorted());
    assert.equal((await store.offers(names)).length, names.length);
    await store.close();
  });

  test('two runs at once: both finish, and what is there is the whole of one of them', async () => {
    const address = await freshAddress();
    const stores = await Promise.all([openAdvisoryStore(address), openAdvisoryStore(address)]);
    await Promise.all(
      stores.map(async (store, which) => {
        for (let round = 0; round < 5; round++)
          await store.replaceOffers(
            HEAD,
            Array.from({ length: 200 + which * 100 }, (_, number) => offer(`s${number}`, `${which}`)),
          );
      }),
    );
    const [first] = stores;
    const size = await first?.size(HEAD.name);
    assert.ok(size === 200 || size === 300, `${size} offers`);
    assert.equal((await first?.offers(['s0']))?.[0]?.version, size === 200 ? '0' : '1');
    for (const store of stores) await store.close();
  });
}
