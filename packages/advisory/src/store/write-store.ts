import { PlinthError } from '@plinth/base';
import type { FeedContent, FeedHead } from '../feeds/feed-content.ts';
import type { SqlDatabase, SqlSession, SqlValue } from './database.ts';
import { entryBody, readHead } from './rows.ts';
import type { AdvisoryStore } from './store.ts';

type Writing = Pick<
  AdvisoryStore,
  'noteFailure' | 'replaceOffers' | 'replaceContent' | 'putChangelog' | 'seen' | 'raiseHighWater'
>;

/** writingTo gives what changes a store: each method is one transaction. */
export function writingTo(database: SqlDatabase): Writing {
  return {
    noteFailure: (name, failure) =>
      database.transaction(async (session) => {
        const head = await readHead(session, name);
        if (head) await writeHead(session, { ...head, failure });
      }),
    replaceOffers: (head, offers) =>
      database.transaction(async (session) => {
        await putHead(session, head);
        await session.all('DELETE FROM offers WHERE feed = ?', head.name);
        const versions: [source: string, version: string][] = [];
        await session.insert({
          ...{ table: 'offers', columns: ['feed', 'source', 'version', 'body'], key: ['source', 'feed'] },
          onConflict: 'fail',
          rows: (function* () {
            for (const { source, version, binaries, changelogIn } of offers) {
              versions.push([source, version]);
              yield [head.name, source, version, JSON.stringify({ binaries, changelogIn })];
            }
          })(),
        });
        await session.insert({
          table: 'sightings',
          columns: ['feed', 'source', 'version', 'index_date', 'index_sha256'],
          key: ['source', 'feed', 'version'],
          onConflict: 'keep',
          rows: versions.map(([source, version]) => [head.name, source, version, head.date, head.sha256]),
        });
      }),
    replaceContent: (head, content) =>
      database.transaction(async (session) => {
        await putHead(session, head);
        for (const table of ['claims', 'details', 'aliases'])
          await session.all(`DELETE FROM ${table} WHERE feed = ?`, head.name);
        await insertContent(session, head.name, content);
      }),
    putChangelog: ({ source, version, state, detail, entries }) =>
      database.transaction(async (session) => {
        const itself = [source, version];
        await session.all('DELETE FROM changelog_entries WHERE source = ? AND version = ?', ...itself);
        await session.insert({
          ...{ table: 'changelogs', columns: ['source', 'version', 'state', 'detail'] },
          ...{ key: ['source', 'version'], onConflict: 'replace' },
          rows: [[source, version, state, detail]],
        });
        await session.insert({
          table: 'changelog_entries',
          columns: ['source', 'version', 'number', 'entry_version', 'body'],
          ...{ key: ['source', 'version', 'number'], onConflict: 'fail' },
          rows: entries.map((entry, number) => [...itself, number, entry.version, entryBody(entry)]),
        });
      }),
    seen: async (ids, now) => {
      const asked = [...new Set(ids)];
      const known = await seenBefore(database, asked);
      const news = asked.filter((id) => !known.has(id));
      if (news.length === 0) return known;
      await database.transaction((session) =>
        session.insert({
          ...{ table: 'flaws_seen', columns: ['id', 'seen_at'], key: ['id'], onConflict: 'keep' },
          rows: news.map((id) => [id, now]),
        }),
      );
      // Another run may have been first.
      return seenBefore(database, asked);
    },
    raiseHighWater: (name, date) =>
      database.transaction(async (session) => {
        await session.all(
          'INSERT INTO high_water (name, date) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET date = CASE WHEN excluded.date > high_water.date THEN excluded.date ELSE high_water.date END',
          ...[name, date],
        );
      }),
  };
}

async function seenBefore(database: SqlDatabase, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await database.each(
    'SELECT id, seen_at FROM flaws_seen WHERE id = ?',
    ids.map((id) => [id]),
  );
  return new Map(rows.flat().map((row) => [String(row['id']), String(row['seen_at'])]));
}

/** @throws advisory/bundle-older */
async function putHead(session: SqlSession, head: FeedHead): Promise<void> {
  const before = await readHead(session, head.name);
  if (before && before.date > head.date) {
    const state = `it is of ${head.date}, what is here of ${before.date}`;
    throw new PlinthError(
      'advisory/bundle-older',
      `Cannot take ${head.name}: ${state}, expected a newer one`,
    );
  }
  await writeHead(session, head);
}

function writeHead(session: SqlSession, head: FeedHead): Promise<void> {
  return session.insert({
    ...{ table: 'feeds', columns: ['name', 'body'], key: ['name'], onConflict: 'replace' },
    rows: [[head.name, JSON.stringify(head)]],
  });
}

async function insertContent(
  session: SqlSession,
  feed: string,
  { claims, details }: FeedContent,
): Promise<void> {
  await session.insert({
    table: 'claims',
    columns: ['ecosystem', 'package', 'feed', 'id', 'number', 'body'],
    ...{ key: ['ecosystem', 'package', 'feed', 'id', 'number'], onConflict: 'fail' },
    rows: claims.map((claim, number): SqlValue[] => [
      ...[claim.ecosystem, claim.package, feed, claim.id, number, JSON.stringify(claim)],
    ]),
  });
  await session.insert({
    ...{ table: 'details', columns: ['id', 'feed', 'body'], key: ['id', 'feed'], onConflict: 'replace' },
    rows: details.map((detail) => [detail.id, feed, JSON.stringify(detail)]),
  });
  await session.insert({
    ...{ table: 'aliases', columns: ['name', 'feed', 'other'], key: ['name', 'feed', 'other'] },
    onConflict: 'keep',
    rows: [...claims, ...details].flatMap(({ id, aliases }) =>
      aliases.flatMap((other) => [
        [id, feed, other],
        [other, feed, id],
      ]),
    ),
  });
}
