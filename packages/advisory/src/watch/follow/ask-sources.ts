import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { type AskedIndex, askIndex, findMirrors, type Mirrors } from '@plinth/debian';
import { cacheDir, downloadIfChanged, hashText, type Validators } from '@plinth/host';
import { importFeed } from '../../feeds/import-feed.ts';
import { indexFeed } from '../../feeds/index-offers.ts';
import { refreshIndexes } from '../../feeds/refresh.ts';
import type { ScanOptions } from '../../scan/scan.ts';
import type { AdvisoryStore } from '../../store/index.ts';

/** What is remembered of sources between looks. */
export interface AskedSources {
  readonly indexes: Map<string, AskedIndex>;
  readonly documents: Map<string, Validators>;
}

export interface AskOptions extends Pick<ScanOptions, 'mirrors' | 'keyring' | 'progress' | 'signal'> {
  readonly store: AdvisoryStore;
  /** Addresses of documents of feeds. */
  readonly documents: readonly string[];
  readonly now: Date;
}

/** A feed as large as importFeed reads. */
const DOCUMENT_LIMIT_BYTES = 400 * 1024 * 1024;
/** Of a document that is whole and cannot be used: the same bytes will be refused again. */
const REFUSED = new Set(['advisory/feed-invalid', 'advisory/bundle-older']);

/**
 * askSources asks each source whether it has something new, and brings only that into the store. A source that cannot be asked
 * or used is told, not thrown: the others count all the same.
 * @returns what failed, in words
 * @throws cli/interrupted, debian/no-mirror, host/disk-full, advisory/store-failed
 */
export async function askSources(
  suites: readonly string[],
  asked: AskedSources,
  options: AskOptions,
): Promise<string[]> {
  const mirrors = suites.length === 0 ? undefined : await findMirrors(options.mirrors);
  return [
    ...(mirrors ? await askIndexes(suites, mirrors, asked, options) : []),
    ...(await askDocuments(asked, options)),
  ];
}

async function askIndexes(
  suites: readonly string[],
  mirrors: Mirrors,
  { indexes }: AskedSources,
  { store, keyring, now, progress, signal }: AskOptions,
): Promise<string[]> {
  const failures: string[] = [];
  const heads = new Map((await store.feeds()).map(({ name, sha256 }) => [name, sha256]));
  const changed: string[] = [];
  for (const suite of suites) {
    try {
      const answer = await askIndex(suite, indexes.get(suite), { mirrors, signal });
      indexes.set(suite, answer);
      // Held against the store, not against the last answer: what could not be read then is tried again.
      if (heads.get(indexFeed(suite)) !== answer.sha256) changed.push(suite);
    } catch (reason) {
      failures.push(toldOf(`index of ${suite}`, reason));
    }
  }
  const shared = { mirrors, now, signal, ...(keyring ? { keyring } : {}), ...(progress ? { progress } : {}) };
  const refused = await refreshIndexes(store, changed, { ...shared, maxAgeMs: -1 });
  return [...failures, ...[...refused].map(([suite, detail]) => `index of ${suite}: ${detail}`)];
}

async function askDocuments({ documents }: AskedSources, options: AskOptions): Promise<string[]> {
  const failures: string[] = [];
  for (const url of options.documents) {
    const path = join(cacheDir(), 'feeds', hashText(url).slice(0, 32));
    const limits = { limitBytes: DOCUMENT_LIMIT_BYTES, attempts: 1, signal: options.signal };
    try {
      const validators = await downloadIfChanged(url, path, documents.get(url), limits);
      if (validators === undefined) continue;
      try {
        await importFeed(options.store, path, options.now);
        documents.set(url, validators);
      } catch (reason) {
        if (reason instanceof PlinthError && REFUSED.has(reason.code)) documents.set(url, validators);
        throw reason;
      }
    } catch (reason) {
      failures.push(toldOf(`feed at ${new URL(url).host}`, reason));
    }
  }
  return failures;
}

/** Errors that are no fact about the source end the look. */
const OURS = new Set(['cli/interrupted', 'host/disk-full', 'advisory/store-failed']);

function toldOf(what: string, reason: unknown): string {
  if (!(reason instanceof PlinthError) || OURS.has(reason.code)) throw reason;
  return `${what}: ${reason.code}: ${reason.message.split('\n')[0] ?? ''}`;
}
