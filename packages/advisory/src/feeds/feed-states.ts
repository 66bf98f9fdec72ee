import type { FeedName, FeedState } from '../model/index.ts';
import type { FeedHead } from './feed-content.ts';

/** stateOfFeed tells what a feed is worth at an instant; pure. */
export function stateOfFeed(head: FeedHead, now: Date): FeedState {
  const { failure, holes, ...facts } = head;
  const ageMs = Math.max(0, now.getTime() - Date.parse(head.fetchedAt));
  const valid = now.getTime() <= Date.parse(head.validUntil);
  const tried =
    failure === undefined ? undefined : `could not be read anew at ${failure.at}: ${failure.detail}`;
  const { name, date, fetchedAt, validUntil, validitySource, sha256, sizeBytes, authenticity } = facts;
  const base = {
    name,
    date,
    fetchedAt,
    validUntil,
    validitySource,
    sha256,
    authenticity,
    ageMs,
    ...(sizeBytes > 0 ? { sizeBytes } : {}),
  };
  if (!valid) {
    const detail = [`was valid until ${validUntil}`, tried].filter((part) => part !== undefined).join('; ');
    return { ...base, condition: 'stale', detail };
  }
  if (holes !== undefined) return { ...base, condition: 'partial', detail: holes };
  return { ...base, condition: 'fresh', ...(tried === undefined ? {} : { detail: tried }) };
}

/** missingFeed is the state of a feed that was never read here. */
export function missingFeed(name: FeedName, detail = 'was never read here'): FeedState {
  return { name, condition: 'missing', detail, authenticity: 'none' };
}
