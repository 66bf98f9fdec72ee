import { z } from 'zod';
import { codenameOf } from '../../inventory/sort-bill.ts';
import { type FeedName, normaliseId, type SeverityClaim } from '../../model/index.ts';
import type { AffectedRange, FeedContent, FlawDetail, PackageClaim } from '../feed-content.ts';
import { type Adapter, DAY_MS, feedInvalid, isObject, isoTime, plainLine, shapedAs } from './adapter.ts';

const text = z.string().max(2_000);
const schema = z.object({
  id: text,
  modified: text,
  published: text.optional(),
  withdrawn: text.optional(),
  aliases: z.array(text).max(1_000).optional(),
  upstream: z.array(text).max(1_000).optional(),
  summary: z.string().max(100_000).optional(),
  severity: z
    .array(z.object({ type: text, score: text }))
    .max(20)
    .optional(),
  affected: z
    .array(
      z.object({
        package: z.object({ ecosystem: text, name: text }).optional(),
        ranges: z
          .array(
            z.object({
              type: text,
              events: z
                .array(
                  z.object({
                    introduced: text.optional(),
                    fixed: text.optional(),
                    last_affected: text.optional(),
                    limit: text.optional(),
                  }),
                )
                .max(10_000),
            }),
          )
          .max(10_000)
          .optional(),
        versions: z.array(text).max(100_000).optional(),
        ecosystem_specific: z
          .object({
            imports: z
              .array(z.object({ path: text.optional(), symbols: z.array(text).max(10_000).optional() }))
              .max(10_000)
              .optional(),
          })
          .optional(),
      }),
    )
    .max(10_000)
    .optional(),
});
type Osv = z.infer<typeof schema>;

const ECOSYSTEMS = { 'osv-debian': 'debian', 'osv-go': 'go', 'osv-npm': 'npm' } as const;
type OsvFeed = keyof typeof ECOSYSTEMS;

/** The records of one ecosystem in the OSV schema (1.6 and later): one document a record. */
function osvAdapter(name: OsvFeed, ecosystem: string): Adapter {
  const isOurs = (each: string) => each === ecosystem || each.startsWith(`${ecosystem}:`);
  return {
    name,
    validityMs: 7 * DAY_MS,
    leastRecords: 1_000,
    recognises: (document) => {
      if (!isObject(document) || typeof document['id'] !== 'string' || !Array.isArray(document['affected']))
        return false;
      return document['affected'].some((entry: unknown) => {
        const item = isObject(entry) ? entry['package'] : undefined;
        return isObject(item) && typeof item['ecosystem'] === 'string' && isOurs(item['ecosystem']);
      });
    },
    read: (documents, fallbackDate): FeedContent => {
      if (documents.length === 0) throw feedInvalid(name, 'it has no record');
      const records = documents.map((document) => shapedAs(schema, document, name));
      const claims = records.flatMap((record) => claimsOf(record, name, isOurs));
      return {
        date: dateOf(name, records, fallbackDate),
        claims,
        details: records.flatMap((record) => detailOf(record, name) ?? []),
      };
    },
  };
}

export const osvDebian = osvAdapter('osv-debian', 'Debian');
export const osvGo = osvAdapter('osv-go', 'Go');
export const osvNpm = osvAdapter('osv-npm', 'npm');

/**
 * Each of these ecosystems gets records every few days: files that were copied lately can hold what is old. Records as
 * their source keeps them may tell only when they were published, newer ones not even that.
 */
function dateOf(feed: OsvFeed, records: readonly Osv[], writtenAt: string): string {
  const newest = records
    .flatMap(({ modified, published }) => isoTime(modified) ?? isoTime(published) ?? [])
    .sort()
    .at(-1);
  if (newest === undefined) throw feedInvalid(feed, 'none of its records has a date');
  return Date.parse(writtenAt) - Date.parse(newest) > 30 * DAY_MS ? newest : writtenAt;
}

/** The name it has in its own ecosystem may be unknown to us ("DEBIAN-CVE-2026-1"); then its upstream name is meant. */
function namesOf({ id, aliases = [], upstream = [] }: Osv): { id: string; aliases: string[] } | undefined {
  const [, debian] = /^DEBIAN-(CVE-.+)$/.exec(id) ?? [];
  const own = normaliseId(debian ?? id);
  const others = [...aliases, ...(debian === undefined ? [] : upstream)].flatMap(
    (name) => normaliseId(name) ?? [],
  );
  const [first, ...rest] = [...new Set([...(own === undefined ? [] : [own]), ...others])];
  return first === undefined ? undefined : { id: first, aliases: rest };
}

function claimsOf(record: Osv, feed: OsvFeed, isOurs: (ecosystem: string) => boolean): PackageClaim[] {
  const names = namesOf(record);
  if (!names) return [];
  return (record.affected ?? []).flatMap(
    ({ package: item, ranges = [], versions = [], ecosystem_specific: specific }): PackageClaim[] => {
      if (!item || !isOurs(item.ecosystem)) return [];
      const symbols = Object.fromEntries(
        (specific?.imports ?? []).flatMap(({ path, symbols: list }) =>
          path === undefined ? [] : [[path, list ?? []]],
        ),
      );
      const number = item.ecosystem.split(':')[1];
      const release = number === undefined ? undefined : codenameOf(`debian-${number}`) || `debian-${number}`;
      const at = isoTime(record.published);
      return [
        {
          feed,
          ...names,
          state: record.withdrawn === undefined ? 'active' : 'withdrawn',
          ecosystem: ECOSYSTEMS[feed],
          package: item.name,
          ...(release === undefined ? {} : { release }),
          // Ranges of commits say nothing about versions.
          ranges: ranges.filter(({ type }) => type !== 'GIT').flatMap(({ events }) => rangesOf(events)),
          // Debian's records list every version that its ranges hold already: hundreds each.
          ...(versions.length === 0 || (feed === 'osv-debian' && ranges.length > 0) ? {} : { versions }),
          ...(record.summary === undefined ? {} : { title: plainLine(record.summary) }),
          ...(Object.keys(symbols).length === 0 ? {} : { symbols }),
          ...(at === undefined ? {} : { at }),
        },
      ];
    },
  );
}

/** Events come in order: each `introduced` opens a range that the next `fixed` or `last_affected` ends. */
function rangesOf(
  events: readonly {
    introduced?: string | undefined;
    fixed?: string | undefined;
    last_affected?: string | undefined;
  }[],
): AffectedRange[] {
  const ranges: AffectedRange[] = [];
  let introduced: string | undefined;
  for (const event of events) {
    if (event.introduced !== undefined) {
      if (introduced !== undefined) ranges.push({ introduced });
      introduced = event.introduced;
    } else if (event.fixed !== undefined) {
      ranges.push({ introduced: introduced ?? '0', fixed: event.fixed });
      introduced = undefined;
    } else if (event.last_affected !== undefined) {
      ranges.push({ introduced: introduced ?? '0', lastAffected: event.last_affected });
      introduced = undefined;
    }
  }
  if (introduced !== undefined) ranges.push({ introduced });
  return ranges;
}

function detailOf(record: Osv, feed: FeedName): FlawDetail | undefined {
  const names = namesOf(record);
  if (!names) return undefined;
  const disclosedAt = isoTime(record.published);
  return {
    feed,
    ...names,
    state: record.withdrawn === undefined ? 'active' : 'withdrawn',
    ...(record.summary === undefined ? {} : { title: plainLine(record.summary) }),
    ...(disclosedAt === undefined ? {} : { disclosedAt }),
    // OSV gives a vector and no score; what it amounts to is not guessed.
    severities: (record.severity ?? []).map(
      ({ score }): SeverityClaim => ({
        source: feed,
        level: 'unknown',
        vector: plainLine(score).slice(0, 200),
      }),
    ),
  };
}
