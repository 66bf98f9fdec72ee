import type { EntryClaims, FeedHead, ReadChangelog } from '../feeds/feed-content.ts';
import type { SqlSession } from './database.ts';
import type { StoredChangelog, StoredEntry } from './store.ts';

// What rows say: bodies are JSON that only write-store.ts has written.

/** parse reads a body. */
export function parse<T>(body: unknown): T {
  return JSON.parse(String(body)) as T;
}

/** bodiesOf reads the bodies of rows. */
export function bodiesOf<T>(rows: readonly Readonly<Record<string, unknown>>[]): readonly T[] {
  return rows.map((row) => parse<T>(row['body']));
}

/** readHead gives the head of a feed. */
export async function readHead(session: SqlSession, name: string): Promise<FeedHead | undefined> {
  const [row] = await session.all('SELECT body FROM feeds WHERE name = ?', name);
  return row ? parse<FeedHead>(row['body']) : undefined;
}

/** entryBody is an entry of a changelog as two JSON texts, one a line: heads are read for every scan, claims rarely. */
export function entryBody({ date, distributions, claims }: EntryClaims): string {
  return `${JSON.stringify({ date, distributions })}\n${JSON.stringify(claims)}`;
}

/** readChangelog gives a changelog with the claims of its entries still unread. */
export async function readChangelog(
  session: SqlSession,
  source: string,
  version: string,
): Promise<StoredChangelog | undefined> {
  const [head] = await session.all(
    'SELECT state, detail FROM changelogs WHERE source = ? AND version = ?',
    ...[source, version],
  );
  if (!head) return undefined;
  const rows = await session.all(
    'SELECT entry_version, body FROM changelog_entries WHERE source = ? AND version = ? ORDER BY number',
    ...[source, version],
  );
  const entries = rows.map((row) => storedEntry(String(row['entry_version']), String(row['body'])));
  return { source, version, state: stateOf(head['state']), detail: String(head['detail']), entries };
}

function storedEntry(version: string, body: string): StoredEntry {
  const cut = body.indexOf('\n');
  const { date, distributions } = parse<Omit<EntryClaims, 'claims' | 'version'>>(body.slice(0, cut));
  let claims: EntryClaims['claims'] | undefined;
  return {
    version,
    ...(date === undefined ? {} : { date }),
    distributions,
    claims: () => {
      claims ??= parse<EntryClaims['claims']>(body.slice(cut + 1));
      return claims;
    },
  };
}

function stateOf(text: unknown): ReadChangelog['state'] {
  return text === 'read' || text === 'missing' ? text : 'unreadable';
}
