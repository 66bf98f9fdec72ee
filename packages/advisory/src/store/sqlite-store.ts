import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PlinthError } from '@plinth/base';
import { rulesNumber } from '../changelog/index.ts';
import type {
  EntryClaims,
  FeedHead,
  FlawDetail,
  PackageClaim,
  ReadChangelog,
  SourceOffer,
} from '../feeds/feed-content.ts';
import type { FeedName } from '../model/index.ts';
import { SCHEMA, SCHEMA_VERSION } from './schema.ts';
import type { AdvisoryStore, SeenOffer, StoredChangelog } from './store.ts';

/** How long a writer waits for another one. */
const BUSY_TIMEOUT_MS = 20_000;

/**
 * openSqliteStore opens, or makes, the database at `path` (":memory:" for tests).
 * @throws advisory/store-failed
 */
export function openSqliteStore(path: string): AdvisoryStore {
  try {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;');
    prepareTables(database, path);
    forgetOldReadings(database, rulesNumber());
    return guarded(storeOver(database), path);
  } catch (reason) {
    throw failed(path, reason);
  }
}

function prepareTables(database: DatabaseSync, path: string): void {
  const version = () => Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version() === 0) {
    inTransaction(database, () => {
      // Another process may have made them while this one waited for the lock.
      if (version() === 0) database.exec(`${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION};`);
    });
  }
  if (version() !== SCHEMA_VERSION) {
    const state = `its tables have version ${version()}`;
    throw new PlinthError(
      'advisory/store-failed',
      `Cannot use ${path}: ${state}, expected ${SCHEMA_VERSION}`,
    );
  }
}

/** Changelogs are kept as what the rules made of them: by other rules, they have to be fetched and read again. */
function forgetOldReadings(database: DatabaseSync, rules: number): void {
  const known = () => Number(database.prepare('PRAGMA application_id').get()?.['application_id'] ?? 0);
  if (known() === rules) return;
  inTransaction(database, () => {
    if (known() === rules) return;
    database.exec(`DELETE FROM changelog_entries; DELETE FROM changelogs; PRAGMA application_id = ${rules};`);
  });
}

function storeOver(database: DatabaseSync): AdvisoryStore {
  const write = <T>(work: () => T): T => inTransaction(database, work);
  const rows = (sql: string, ...values: string[]) => database.prepare(sql).all(...values);
  const headOf = (name: string): FeedHead | undefined => {
    const [row] = rows('SELECT body FROM feeds WHERE name = ?', name);
    return row ? parse<FeedHead>(row['body']) : undefined;
  };
  const putHead = (head: FeedHead): void => {
    const before = headOf(head.name);
    if (before && before.date > head.date) {
      const state = `it is of ${head.date}, what is here of ${before.date}`;
      throw new PlinthError(
        'advisory/bundle-older',
        `Cannot take ${head.name}: ${state}, expected a newer one`,
      );
    }
    database.prepare('INSERT OR REPLACE INTO feeds VALUES (?, ?)').run(head.name, JSON.stringify(head));
  };
  const readContent = (feed: FeedName) => ({
    date: headOf(feed)?.date ?? '',
    claims: rows('SELECT body FROM claims WHERE feed = ?', feed).map((row) =>
      parse<PackageClaim>(row['body']),
    ),
    details: rows('SELECT body FROM details WHERE feed = ?', feed).map((row) =>
      parse<FlawDetail>(row['body']),
    ),
  });
  const changelog = (source: string, version: string): StoredChangelog | undefined => {
    const [head] = rows(
      'SELECT state, detail FROM changelogs WHERE source = ? AND version = ?',
      source,
      version,
    );
    if (!head) return undefined;
    const entries = rows(
      'SELECT entry_version, body FROM changelog_entries WHERE source = ? AND version = ? ORDER BY number',
      source,
      version,
    ).map((row) => {
      const body = String(row['body']);
      const cut = body.indexOf('\n');
      const { date, distributions } = parse<Omit<EntryClaims, 'claims' | 'version'>>(body.slice(0, cut));
      return {
        version: String(row['entry_version']),
        ...(date === undefined ? {} : { date }),
        distributions,
        claims: once(() => parse<EntryClaims['claims']>(body.slice(cut + 1))),
      };
    });
    return { source, version, state: stateOf(head['state']), detail: String(head['detail']), entries };
  };
  return {
    feeds: () => rows('SELECT body FROM feeds ORDER BY name').map((row) => parse<FeedHead>(row['body'])),
    noteFailure: (name, failure) =>
      write(() => {
        const head = headOf(name);
        if (head) {
          database
            .prepare('UPDATE feeds SET body = ? WHERE name = ?')
            .run(JSON.stringify({ ...head, failure }), name);
        }
      }),
    replaceOffers: (head, offers) =>
      write(() => {
        putHead(head);
        database.prepare('DELETE FROM offers WHERE feed = ?').run(head.name);
        const insert = database.prepare('INSERT INTO offers VALUES (?, ?, ?, ?)');
        const sight = database.prepare('INSERT OR IGNORE INTO sightings VALUES (?, ?, ?, ?, ?)');
        for (const { source, version, binaries, changelogIn } of offers) {
          insert.run(head.name, source, version, JSON.stringify({ binaries, changelogIn }));
          sight.run(head.name, source, version, head.date, head.sha256);
        }
      }),
    replaceContent: (head, { claims, details }) =>
      write(() => {
        putHead(head);
        for (const name of ['claims', 'details', 'aliases'])
          database.prepare(`DELETE FROM ${name} WHERE feed = ?`).run(head.name);
        const putClaim = database.prepare('INSERT INTO claims VALUES (?, ?, ?, ?, ?, ?)');
        const putDetail = database.prepare('INSERT OR REPLACE INTO details VALUES (?, ?, ?)');
        const putAlias = database.prepare('INSERT OR IGNORE INTO aliases VALUES (?, ?, ?)');
        const alias = (id: string, others: readonly string[]) => {
          for (const other of others) {
            putAlias.run(id, head.name, other);
            putAlias.run(other, head.name, id);
          }
        };
        claims.forEach((claim, number) => {
          putClaim.run(claim.ecosystem, claim.package, head.name, claim.id, number, JSON.stringify(claim));
          alias(claim.id, claim.aliases);
        });
        for (const detail of details) {
          putDetail.run(detail.id, head.name, JSON.stringify(detail));
          alias(detail.id, detail.aliases);
        }
      }),
    putChangelog: ({ source, version, state, detail, entries }) =>
      write(() => {
        database
          .prepare('DELETE FROM changelog_entries WHERE source = ? AND version = ?')
          .run(source, version);
        database
          .prepare('INSERT OR REPLACE INTO changelogs VALUES (?, ?, ?, ?)')
          .run(source, version, state, detail);
        const insert = database.prepare('INSERT INTO changelog_entries VALUES (?, ?, ?, ?, ?)');
        entries.forEach(({ version: entryVersion, date, distributions, claims }, number) => {
          // Two JSON texts, one a line: heads are read for every scan, claims rarely.
          const body = `${JSON.stringify({ date, distributions })}\n${JSON.stringify(claims)}`;
          insert.run(source, version, number, entryVersion, body);
        });
      }),
    offers: (sources) => {
      const find = database.prepare(
        `SELECT o.feed, o.version, o.body, s.index_date, s.index_sha256 FROM offers o
         LEFT JOIN sightings s ON s.source = o.source AND s.feed = o.feed AND s.version = o.version WHERE o.source = ?`,
      );
      return [...new Set(sources)].flatMap((source) =>
        find.all(source).map((row): SeenOffer => {
          const body = parse<Pick<SourceOffer, 'binaries' | 'changelogIn'>>(row['body']);
          return {
            feed: String(row['feed']) as FeedName,
            source,
            version: String(row['version']),
            ...body,
            firstSeen: { indexDate: String(row['index_date']), indexSha256: String(row['index_sha256']) },
          };
        }),
      );
    },
    sourcesLike: (prefix) =>
      rows(
        'SELECT DISTINCT source FROM offers WHERE source >= ? AND source < ? ORDER BY source',
        prefix,
        `${prefix}\u{10ffff}`,
      ).map((row) => String(row['source'])),
    changelog,
    claims: (ecosystem, packages) => {
      const find = database.prepare('SELECT body FROM claims WHERE ecosystem = ? AND package = ?');
      return [...new Set(packages)].flatMap((name) =>
        find.all(ecosystem, name).map((row) => parse<PackageClaim>(row['body'])),
      );
    },
    packagesNamedWith: (ids) => {
      const claimed = database.prepare('SELECT DISTINCT ecosystem, package FROM claims WHERE id = ?');
      const named = database.prepare(
        'SELECT DISTINCT source FROM changelog_entries WHERE instr(body, ?) > 0',
      );
      const found = new Set<string>();
      for (const id of ids) {
        for (const row of claimed.all(id)) found.add(`${row['ecosystem']} ${row['package']}`);
        for (const row of named.all(JSON.stringify(id))) {
          found.add(`debian ${row['source']}`);
          // Debian's changelogs of Go speak of the library that is in every program.
          if (/^golang-1\.\d+$/.test(String(row['source']))) found.add('go stdlib');
        }
      }
      return found;
    },
    details: (ids) => {
      const find = database.prepare('SELECT body FROM details WHERE id = ?');
      return [...new Set(ids)].flatMap((id) => find.all(id).map((row) => parse<FlawDetail>(row['body'])));
    },
    aliases: (ids) => {
      const find = database.prepare('SELECT DISTINCT other FROM aliases WHERE name = ?');
      return [...new Set(ids)].flatMap((id) =>
        find.all(id).map((row) => [id, String(row['other'])] as const),
      );
    },
    seen: (ids, now) => {
      const find = database.prepare('SELECT seen_at FROM flaws_seen WHERE id = ?');
      const known = new Map<string, string>();
      const news: string[] = [];
      for (const id of new Set(ids)) {
        const row = find.get(id);
        if (row) known.set(id, String(row['seen_at']));
        else news.push(id);
      }
      if (news.length === 0) return known;
      write(() => {
        const put = database.prepare('INSERT OR IGNORE INTO flaws_seen VALUES (?, ?)');
        for (const id of news) put.run(id, now);
      });
      // Another run may have been first.
      for (const id of news) known.set(id, String(find.get(id)?.['seen_at'] ?? now));
      return known;
    },
    size: (name) => {
      const count = (table: 'claims' | 'details' | 'offers') =>
        Number(rows(`SELECT count(*) AS n FROM ${table} WHERE feed = ?`, name)[0]?.['n'] ?? 0);
      return count('claims') + count('details') + count('offers');
    },
    dump: () => {
      const heads = rows('SELECT body FROM feeds ORDER BY name').map((row) => parse<FeedHead>(row['body']));
      return {
        heads,
        offers: heads
          .filter(({ name }) => name.startsWith('debian-index:'))
          .map(({ name }) => ({
            feed: name,
            offers: rows('SELECT source, version, body FROM offers WHERE feed = ? ORDER BY source', name).map(
              (row) => ({
                source: String(row['source']),
                version: String(row['version']),
                ...parse<Pick<SourceOffer, 'binaries' | 'changelogIn'>>(row['body']),
              }),
            ),
          })),
        contents: heads
          .filter(({ name }) => !name.startsWith('debian-'))
          .concat(heads.filter(({ name }) => name === 'debian-tracker'))
          .map(({ name }) => ({ feed: name, content: readContent(name) })),
        changelogs: rows('SELECT source, version FROM changelogs ORDER BY source, version').flatMap((row) => {
          const stored = changelog(String(row['source']), String(row['version']));
          if (!stored) return [];
          const entries = stored.entries.map((entry): EntryClaims => ({ ...entry, claims: entry.claims() }));
          return [{ ...stored, entries }];
        }),
      };
    },
    highWater: (name) => {
      const [row] = rows('SELECT date FROM high_water WHERE name = ?', name);
      return row ? String(row['date']) : undefined;
    },
    raiseHighWater: (name, date) =>
      write(() => {
        database
          .prepare(
            'INSERT INTO high_water VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET date = max(date, excluded.date)',
          )
          .run(name, date);
      }),
    close: () => database.close(),
  };
}

/** Writers queue from the first statement on; a writer that began as a reader could find the file changed under it. */
function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (reason) {
    database.exec('ROLLBACK');
    throw reason;
  }
}

/** Every failure of the database is reported under one code, with the file's name. */
function guarded(store: AdvisoryStore, path: string): AdvisoryStore {
  const guard =
    <A extends readonly unknown[], R>(method: (...args: A) => R) =>
    (...args: A): R => {
      try {
        return method(...args);
      } catch (reason) {
        throw failed(path, reason);
      }
    };
  return Object.fromEntries(
    Object.entries(store).map(([name, method]) => [
      name,
      guard(method as (...args: readonly unknown[]) => unknown),
    ]),
  ) as unknown as AdvisoryStore;
}

function failed(path: string, reason: unknown): PlinthError {
  return PlinthError.from(reason, 'advisory/store-failed', `Cannot use ${path}`);
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Only what this module wrote is in the tables. */
function parse<T>(body: unknown): T {
  return JSON.parse(String(body)) as T;
}

function stateOf(text: unknown): ReadChangelog['state'] {
  return text === 'read' || text === 'missing' ? text : 'unreadable';
}
