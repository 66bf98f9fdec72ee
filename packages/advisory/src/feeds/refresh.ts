import { PlinthError, type Progress, silentProgress } from '@plinth/base';
import { fetchIndexes, type Keyring, type Mirrors, readScanKeyring } from '@plinth/debian';
import { mapParallel } from '@plinth/host';
import type { AdvisoryStore } from '../store/index.ts';
import type { FeedHead, SourceOffer } from './feed-content.ts';
import { fetchChangelog, type PoolFetch } from './fetch-changelog.ts';
import { headOfIndex, indexFeed, offersOf } from './index-offers.ts';

export interface RefreshOptions {
  readonly mirrors: Mirrors;
  readonly keyring?: Keyring;
  readonly now?: Date;
  /** An index fetched less long ago is not fetched again. Default: half a day, the period of the watch. */
  readonly maxAgeMs?: number;
  readonly cacheRoot?: string;
  readonly progress?: Progress;
  readonly signal?: AbortSignal | undefined;
}

export const HALF_DAY_MS = 12 * 3600 * 1000;
/** Suites that are looked at beyond those that carry fixes: they show what is fixed where, and newer Go toolchains. */
const AHEAD = ['forky', 'sid'] as const;

/** Names come from what is scanned, and become part of addresses and of file names. */
const CODENAME = /^[a-z]{1,40}$/;

/** fixSuites names the suites whose packages are meant for systems of a release, main suite first. */
export function fixSuites(codename: string): string[] {
  if (!CODENAME.test(codename)) return [];
  if (codename === 'sid') return ['sid'];
  return [codename, `${codename}-updates`, `${codename}-security`];
}

/** suitesFor names every suite a judgement of this release looks at. */
export function suitesFor(codename: string): string[] {
  const own = fixSuites(codename);
  return [...new Set([...own, ...(own.length > 1 ? [`${codename}-backports`] : []), ...AHEAD])];
}

/**
 * refreshIndexes brings the signed indexes of the suites up to date. A suite that cannot be had keeps its content and
 * is noted as failed: that is a fact for the report, not an error.
 * @throws cli/interrupted, host/disk-full, advisory/store-failed
 */
export async function refreshIndexes(
  store: AdvisoryStore,
  suites: readonly string[],
  options: RefreshOptions,
): Promise<ReadonlyMap<string, string>> {
  const { now = new Date(), maxAgeMs = HALF_DAY_MS, progress = silentProgress } = options;
  const heads = new Map((await store.feeds()).map((head) => [head.name, head]));
  const due = suites.filter((suite) => isDue(heads.get(indexFeed(suite)), now, maxAgeMs));
  const failures = new Map<string, string>();
  // One at a time: the text of one index is 60 MB, and its packages are objects on top of that.
  for (const suite of due) {
    try {
      const keyring = options.keyring ?? (await readScanKeyring(suite));
      const [index] = await fetchIndexes([suite], { ...options, keyring, now, progress });
      if (index) await store.replaceOffers(headOfIndex(index, now), offersOf(index));
    } catch (reason) {
      const failure = failureOf(reason, now);
      await store.noteFailure(indexFeed(suite), failure);
      failures.set(suite, failure.detail);
    }
  }
  return failures;
}

/** An index past its own end is fetched again however young it is. */
function isDue(head: FeedHead | undefined, now: Date, maxAgeMs: number): boolean {
  if (!head) return true;
  return now.getTime() - Date.parse(head.fetchedAt) > maxAgeMs || now.getTime() > Date.parse(head.validUntil);
}

function failureOf(reason: unknown, now: Date): NonNullable<FeedHead['failure']> {
  if (!(reason instanceof PlinthError)) throw reason;
  const condition = CONDITIONS[reason.code];
  if (condition === undefined) throw reason;
  return {
    at: now.toISOString(),
    condition,
    detail: `${reason.code}: ${reason.message.split('\n')[0] ?? ''}`,
  };
}

/** What makes a feed unusable, by error code; any other error ends the run. */
const CONDITIONS: Readonly<Record<string, NonNullable<FeedHead['failure']>['condition']>> = {
  'debian/index-expired': 'stale',
  'debian/index-untrusted': 'unreadable',
  'debian/index-invalid': 'unreadable',
  'advisory/bundle-older': 'stale',
  'host/download-missing': 'missing',
  'host/download-failed': 'missing',
  'host/digest-mismatch': 'truncated',
};

/**
 * readChangelogs makes sure that the changelogs of these offers are in the store, each in a transaction of its own,
 * so that a run that was interrupted goes on where it was. Holes are stored too, and tried again by the next run.
 * @throws cli/interrupted, host/command-missing, host/disk-full
 */
export async function readChangelogs(
  store: AdvisoryStore,
  offers: readonly SourceOffer[],
  fetchFile: PoolFetch,
  options: { readonly progress?: Progress; readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const missing: SourceOffer[] = [];
  for (const offer of offers) {
    const kept = await store.changelog(offer.source, offer.version);
    if (kept?.state !== 'read') missing.push(offer);
  }
  if (missing.length === 0) return;
  await (options.progress ?? silentProgress).step(
    missing.length === 1 ? 'Read 1 changelog' : `Read ${missing.length} changelogs`,
    async (step) => {
      let done = 0;
      await mapParallel(missing, 4, async (offer) => {
        await store.putChangelog(await fetchChangelog(offer, fetchFile, options.signal));
        step.note(`${++done}/${missing.length}`);
      });
    },
  );
}
