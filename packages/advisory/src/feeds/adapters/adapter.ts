import { PlinthError } from '@plinth/base';
import type { ZodType } from 'zod';
import type { FeedName, SeverityLevel } from '../../model/index.ts';
import type { FeedContent } from '../feed-content.ts';

/** Reads the documents of one feed; pure. A document of another shape is refused as a whole: half a feed is none. */
export interface Adapter {
  readonly name: FeedName;
  /** How long what it says may be believed, counted from the feed's own date. */
  readonly validityMs: number;
  /** A whole feed has had so many records for years; with fewer it counts as a part. Absent: no verdict rests on it. */
  readonly leastRecords?: number;
  /** Whether a document is of this feed, by its outermost shape. */
  readonly recognises: (document: unknown) => boolean;
  /** Takes what Plinth needs; `fallbackDate` where the feed has no date of its own. @throws advisory/feed-invalid */
  readonly read: (documents: readonly unknown[], fallbackDate: string) => FeedContent;
}

export const DAY_MS = 24 * 3600 * 1000;

/** shapedAs checks a document against what the feed's readers know. @throws advisory/feed-invalid */
export function shapedAs<T>(schema: ZodType<T>, document: unknown, feed: string): T {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue?.path.map(String).join('.').slice(0, 200) || 'it';
  throw feedInvalid(
    feed,
    `${place} has a shape that is not known (${issue?.message.slice(0, 200) ?? 'invalid'})`,
  );
}

/** feedInvalid is the error for a feed that cannot be used. */
export function feedInvalid(feed: string, state: string): PlinthError {
  return new PlinthError(
    'advisory/feed-invalid',
    `Cannot use the feed ${feed}: ${state}, expected a whole feed`,
  );
}

/** onlyOne gives the document of a feed that is one: of two nobody knows which counts. @throws advisory/feed-invalid */
export function onlyOne(documents: readonly unknown[], feed: string): unknown {
  if (documents.length !== 1) throw feedInvalid(feed, `there are ${documents.length} documents of it`);
  return documents[0];
}

/** isObject tells a JSON object from everything else. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** levelOfScore is CVSS's own word for a base score (CVSS 3.1, section 5; 4.0, section 6). */
export function levelOfScore(score: number): SeverityLevel {
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  if (score >= 4) return 'medium';
  return score > 0 ? 'low' : 'none';
}

/** plainLine makes one line of a text from outside: no control characters, no more than 500 characters. */
export function plainLine(text: string): string {
  return text
    .slice(0, 2_000)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ')
    .trim()
    .slice(0, 500);
}

/** No flaw had a name before; what is dated earlier has no date (Go writes the year 1 for none). */
const FIRST_DATE_MS = Date.UTC(1980, 0);

/** isoTime brings a date into ISO 8601, UTC; undefined when it is none. */
export function isoTime(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  // Dates without a zone (NVD) are UTC.
  const timeMs = Date.parse(/T[\d:.]+$/.test(text) ? `${text}Z` : text);
  return timeMs >= FIRST_DATE_MS ? new Date(timeMs).toISOString() : undefined;
}
