import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { PlinthError } from '@plinth/base';
import { hashText, writeFileAtomic } from '@plinth/host';
import { type Certificate, parseDsse, type Signer, signDsse, verifyDsse } from '@plinth/trust';
import { z } from 'zod';
import { readBoundedBytes } from '../documents/read-file.ts';
import type { AdvisoryStore, StoreDump } from '../store/index.ts';

const MAGIC = 'plinth-feeds 1\n';
const PAYLOAD_TYPE = 'application/vnd.plinth.feeds+json';
const HIGH_WATER = 'bundle';
const FILE_LIMIT_BYTES = 400 * 1024 * 1024;
const HEAD_LIMIT_BYTES = 64 * 1024;
const CONTENT_LIMIT_BYTES = 480 * 1024 * 1024;
/** A bundle older than this is refused: what is in it is stale by any bound. */
const VALIDITY_MS = 30 * 24 * 3600 * 1000;

const headSchema = z.object({
  format: z.literal(1),
  created: z.iso.datetime(),
  validUntil: z.iso.datetime(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.int().min(1),
});

export interface BundleReport {
  readonly created: string;
  readonly validUntil: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly feeds: readonly string[];
}

/**
 * exportBundle writes all feeds of a store into one file: a signed statement with the digest of the rest, and the rest.
 * @throws trust/signing-failed, host/disk-full, advisory/store-failed
 */
export async function exportBundle(
  store: AdvisoryStore,
  signer: Signer,
  path: string,
  now: Date = new Date(),
): Promise<BundleReport> {
  const dump = await store.dump();
  if (dump.heads.length === 0) {
    throw new PlinthError(
      'advisory/store-failed',
      `Cannot write ${path}: no feed is here, expected at least one`,
      {
        hint: 'Run "plinth cve scan" where there is a network, or import documents of feeds first.',
      },
    );
  }
  // Where packages lie is of no use without a pool; their changelogs are in the bundle.
  const offers = dump.offers.map(({ feed, offers: list }) => ({
    feed,
    offers: list.map((offer) => ({ ...offer, changelogIn: [] })),
  }));
  const content = await promisify(gzip)(JSON.stringify({ ...dump, offers }));
  const head = {
    format: 1,
    created: now.toISOString(),
    validUntil: new Date(now.getTime() + VALIDITY_MS).toISOString(),
    sha256: hashText(content),
    sizeBytes: content.length,
  } as const;
  const envelope = await signDsse(signer, PAYLOAD_TYPE, new TextEncoder().encode(JSON.stringify(head)));
  await writeFileAtomic(path, Buffer.concat([Buffer.from(`${MAGIC}${JSON.stringify(envelope)}\n`), content]));
  return { ...head, feeds: dump.heads.map(({ name }) => name) };
}

/**
 * importBundle takes over the feeds of a bundle: signed by a trusted key, not expired, and not older than any that was
 * imported before. A feed that is newer here than in the bundle stays.
 * @throws advisory/bundle-untrusted, advisory/bundle-older, advisory/feed-invalid, advisory/store-failed, host/io
 */
export async function importBundle(
  store: AdvisoryStore,
  path: string,
  trusted: readonly Certificate[],
  now: Date = new Date(),
): Promise<BundleReport> {
  const bytes = await readBoundedBytes(path, FILE_LIMIT_BYTES);
  const { head, content } = openBundle(bytes, path, trusted);
  const highest = await store.highWater(HIGH_WATER);
  if (highest !== undefined && head.created < highest) {
    throw older(path, `it was made at ${head.created}, one of ${highest} was imported before`);
  }
  if (now.toISOString() > head.validUntil) throw older(path, `it was valid until ${head.validUntil}`);
  const text = await promisify(gunzip)(content, { maxOutputLength: CONTENT_LIMIT_BYTES }).catch(() => {
    throw new PlinthError(
      'advisory/feed-invalid',
      `Cannot read ${path}: its content is no gzip within limits, expected one`,
    );
  });
  // What a trusted key signed was written by exportBundle.
  const dump = JSON.parse(text.toString('utf8')) as StoreDump;
  const kept = new Map((await store.feeds()).map(({ name, date }) => [name, date]));
  const taken: string[] = [];
  for (const feedHead of dump.heads) {
    if ((kept.get(feedHead.name) ?? '') > feedHead.date) continue;
    const signed = { ...feedHead, authenticity: 'bundle-signature' } as const;
    const offers = dump.offers.find(({ feed }) => feed === feedHead.name)?.offers;
    const feedContent = dump.contents.find(({ feed }) => feed === feedHead.name)?.content;
    if (offers) await store.replaceOffers(signed, offers);
    else if (feedContent) await store.replaceContent(signed, feedContent);
    taken.push(feedHead.name);
  }
  for (const changelog of dump.changelogs) {
    const kept = await store.changelog(changelog.source, changelog.version);
    if (kept?.state !== 'read') await store.putChangelog(changelog);
  }
  await store.raiseHighWater(HIGH_WATER, head.created);
  return { ...head, feeds: taken };
}

/** isBundle tells a bundle from every other file by its first bytes. */
export function isBundle(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, MAGIC.length)).toString('latin1') === MAGIC;
}

function openBundle(bytes: Buffer, path: string, trusted: readonly Certificate[]) {
  const end = bytes.subarray(0, HEAD_LIMIT_BYTES).indexOf('\n', MAGIC.length);
  const envelope =
    isBundle(bytes) && end > 0 ? parseDsse(bytes.toString('utf8', MAGIC.length, end)) : undefined;
  if (!envelope || envelope.payloadType !== PAYLOAD_TYPE) throw untrusted(path, 'it is no bundle of feeds');
  const verdict = verifyDsse(envelope, trusted);
  if (verdict.verdict !== 'pass') throw untrusted(path, verdict.reason);
  const head = headSchema.safeParse(JSON.parse(Buffer.from(envelope.payload, 'base64').toString('utf8')));
  if (!head.success) throw untrusted(path, 'its signed head has another form');
  const content = bytes.subarray(end + 1);
  if (content.length !== head.data.sizeBytes || hashText(content) !== head.data.sha256) {
    throw untrusted(path, 'its content is not what was signed');
  }
  return { head: head.data, content };
}

function untrusted(path: string, state: string): PlinthError {
  return new PlinthError(
    'advisory/bundle-untrusted',
    `Cannot use ${path}: ${state}, expected a bundle signed by a trusted release key`,
  );
}

function older(path: string, state: string): PlinthError {
  return new PlinthError('advisory/bundle-older', `Cannot use ${path}: ${state}, expected a newer one`);
}
