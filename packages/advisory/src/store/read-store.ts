import type {
  EntryClaims,
  FeedHead,
  FlawDetail,
  PackageClaim,
  ReadChangelog,
  SourceOffer,
} from '../feeds/feed-content.ts';
import type { FeedName } from '../model/index.ts';
import type { SqlDatabase } from './database.ts';
import { bodiesOf, parse, readChangelog, readHead } from './rows.ts';
import type { AdvisoryStore, SeenOffer, StoreDump } from './store.ts';

type Reading = Omit<
  AdvisoryStore,
  'noteFailure' | 'replaceOffers' | 'replaceContent' | 'putChangelog' | 'seen' | 'raiseHighWater' | 'close'
>;
type OfferBody = Pick<SourceOffer, 'binaries' | 'changelogIn'>;

/** readingFrom gives the questions to a store. */
export function readingFrom(database: SqlDatabase): Reading {
  const eachOf = async (sql: string, lists: readonly (readonly string[])[]) =>
    (await database.each(sql, lists)).flat();
  const once = (names: Iterable<string>) => [...new Set(names)].map((name) => [name] as const);
  return {
    feeds: () => feedsOf(database),
    offers: async (sources) =>
      (await eachOf(OFFERS, once(sources))).map(
        (row): SeenOffer => ({
          feed: String(row['feed']) as FeedName,
          ...{ source: String(row['source']), version: String(row['version']) },
          ...parse<OfferBody>(row['body']),
          firstSeen: { indexDate: String(row['index_date']), indexSha256: String(row['index_sha256']) },
        }),
      ),
    sourcesLike: async (prefix) => {
      const rows = await database.all(
        'SELECT DISTINCT source FROM offers WHERE source >= ? AND source < ? ORDER BY source',
        ...[prefix, `${prefix}\u{10ffff}`],
      );
      return rows.map((row) => String(row['source']));
    },
    changelog: (source, version) => readChangelog(database, source, version),
    claims: async (ecosystem, packages) =>
      bodiesOf<PackageClaim>(
        await eachOf(
          'SELECT body FROM claims WHERE ecosystem = ? AND package = ? ORDER BY feed, id, number',
          once(packages).map(([name]) => [ecosystem, name]),
        ),
      ),
    packagesNamedWith: async (ids) => {
      const found = new Set<string>();
      const asked = once(ids);
      for (const row of await eachOf('SELECT DISTINCT ecosystem, package FROM claims WHERE id = ?', asked))
        found.add(`${row['ecosystem']} ${row['package']}`);
      const named = `SELECT DISTINCT source FROM changelog_entries WHERE ${database.contains('body')}`;
      for (const row of await eachOf(
        named,
        asked.map(([id]) => [JSON.stringify(id)]),
      )) {
        found.add(`debian ${row['source']}`);
        // Debian's changelogs of Go speak of the library that is in every program.
        if (/^golang-1\.\d+$/.test(String(row['source']))) found.add('go stdlib');
      }
      return found;
    },
    details: async (ids) =>
      bodiesOf<FlawDetail>(await eachOf('SELECT body FROM details WHERE id = ? ORDER BY feed', once(ids))),
    aliases: async (ids) =>
      (await eachOf('SELECT DISTINCT name, other FROM aliases WHERE name = ? ORDER BY other', once(ids))).map(
        (row) => [String(row['name']), String(row['other'])] as const,
      ),
    size: async (name) => {
      const counts = ['claims', 'details', 'offers'].map(
        (table) => `(SELECT count(*) FROM ${table} WHERE feed = ?)`,
      );
      const [row] = await database.all(`SELECT ${counts.join(' + ')} AS n`, name, name, name);
      return Number(row?.['n'] ?? 0);
    },
    dump: () => dumpOf(database),
    highWater: async (name) => {
      const [row] = await database.all('SELECT date FROM high_water WHERE name = ?', name);
      return row ? String(row['date']) : undefined;
    },
  };
}

const OFFERS = `SELECT o.feed, o.source, o.version, o.body, s.index_date, s.index_sha256 FROM offers o
  LEFT JOIN sightings s ON s.source = o.source AND s.feed = o.feed AND s.version = o.version
  WHERE o.source = ? ORDER BY o.feed`;

async function feedsOf(database: SqlDatabase): Promise<readonly FeedHead[]> {
  return bodiesOf<FeedHead>(await database.all('SELECT body FROM feeds ORDER BY name'));
}

async function dumpOf(database: SqlDatabase): Promise<StoreDump> {
  const heads = await feedsOf(database);
  const indexes = heads.filter(({ name }) => name.startsWith('debian-index:'));
  const others = heads.filter(({ name }) => !name.startsWith('debian-') || name === 'debian-tracker');
  return {
    heads,
    offers: await Promise.all(
      indexes.map(async ({ name }) => ({ feed: name, offers: await offersOf(database, name) })),
    ),
    contents: await Promise.all(
      others.map(async ({ name }) => ({ feed: name, content: await contentOf(database, name) })),
    ),
    changelogs: await changelogsOf(database),
  };
}

async function offersOf(database: SqlDatabase, feed: string): Promise<SourceOffer[]> {
  const rows = await database.all(
    'SELECT source, version, body FROM offers WHERE feed = ? ORDER BY source',
    feed,
  );
  return rows.map((row) => ({
    ...{ source: String(row['source']), version: String(row['version']) },
    ...parse<OfferBody>(row['body']),
  }));
}

async function contentOf(database: SqlDatabase, feed: string) {
  return {
    date: (await readHead(database, feed))?.date ?? '',
    claims: bodiesOf<PackageClaim>(
      await database.all('SELECT body FROM claims WHERE feed = ? ORDER BY number', feed),
    ),
    details: bodiesOf<FlawDetail>(
      await database.all('SELECT body FROM details WHERE feed = ? ORDER BY id', feed),
    ),
  };
}

async function changelogsOf(database: SqlDatabase): Promise<ReadChangelog[]> {
  const rows = await database.all('SELECT source, version FROM changelogs ORDER BY source, version');
  const changelogs: ReadChangelog[] = [];
  for (const row of rows) {
    const stored = await readChangelog(database, String(row['source']), String(row['version']));
    if (!stored) continue;
    const entries = stored.entries.map((entry): EntryClaims => ({ ...entry, claims: entry.claims() }));
    changelogs.push({ ...stored, entries });
  }
  return changelogs;
}
