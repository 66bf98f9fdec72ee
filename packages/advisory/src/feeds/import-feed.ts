import { messageOf } from '@plinth/base';
import type { FeedAuthenticity } from '../model/index.ts';
import type { AdvisoryStore } from '../store/index.ts';
import { type Adapter, DAY_MS, feedInvalid } from './adapters/adapter.ts';
import { adapters } from './adapters/index.ts';
import type { FeedContent, FeedHead } from './feed-content.ts';
import { readFeedDocuments } from './read-feed-documents.ts';

/** A feed loses records now and then, never this share of them at once. */
const LARGEST_LOSS = 0.2;
/** A feed from the future would stay valid for years, and keep every real one out. */
const CLOCK_SKEW_MS = DAY_MS;

/**
 * importFeed reads a document of a feed, tells by its shape which one it is, and puts it into the store. A feed that
 * cannot be used is noted as failed beside what is there, and thrown.
 * @throws advisory/feed-invalid, advisory/bundle-older, advisory/store-failed, host/io
 */
export async function importFeed(
  store: AdvisoryStore,
  path: string,
  now: Date = new Date(),
): Promise<FeedHead> {
  const { documents, sha256, sizeBytes, writtenAt } = await readFeedDocuments(path);
  const adapter = adapters.find(({ recognises }) => recognises(documents[0]));
  if (!adapter) throw feedInvalid(path, 'its shape is that of no feed known here');
  const strangers = documents.filter((document) => !adapter.recognises(document)).length;
  const { name } = adapter;
  try {
    // OSV folders hold withdrawn records, and records of several ecosystems; anything else is one kind throughout.
    if (strangers > 0 && !name.startsWith('osv-'))
      throw feedInvalid(name, `${strangers} of its records are of another kind`);
    const content = adapter.read(documents, writtenAt);
    const head = headOf({ name, sha256, sizeBytes, authenticity: 'none' }, content, adapter, now);
    if (Date.parse(head.date) > now.getTime() + CLOCK_SKEW_MS)
      throw feedInvalid(name, `it is dated ${head.date}, which is still to come`);
    await refuseLoss(store, head, content);
    await store.replaceContent(head, content);
    return head;
  } catch (reason) {
    const detail = messageOf(reason).split('\n')[0] ?? '';
    await store.noteFailure(name, { at: now.toISOString(), condition: 'unreadable', detail });
    throw reason;
  }
}

function headOf(
  facts: { name: FeedHead['name']; sha256: string; sizeBytes: number; authenticity: FeedAuthenticity },
  { date, claims, details }: FeedContent,
  { validityMs, leastRecords = 0 }: Adapter,
  now: Date,
): FeedHead {
  const records = new Set([...claims, ...details].map(({ id }) => id)).size;
  const holes = `${records} records, a whole one has at least ${leastRecords}`;
  return {
    ...facts,
    date,
    fetchedAt: now.toISOString(),
    validUntil: new Date(Date.parse(date) + validityMs).toISOString(),
    validitySource: 'plinth',
    ...(records < leastRecords ? { holes } : {}),
  };
}

/** What shrinks by a fifth was cut off somewhere on its way. */
async function refuseLoss(
  store: AdvisoryStore,
  { name }: FeedHead,
  { claims, details }: FeedContent,
): Promise<void> {
  const before = await store.size(name);
  const now = claims.length + details.length;
  if (now === 0) throw feedInvalid(name, 'it says nothing at all');
  if (now < before * (1 - LARGEST_LOSS))
    throw feedInvalid(name, `it has ${now} records, ${before} were there before`);
}
