import { compareDebianVersions } from '@plinth/base';
import type { ArchiveIndex, BinaryPackage } from '@plinth/debian';
import { parseBuiltUsing, withoutRebuild } from '../inventory/debian-fields.ts';
import type { FeedName } from '../model/index.ts';
import type { FeedHead, PoolFile, SourceOffer } from './feed-content.ts';
import { trueSource } from './source-names.ts';

/** A main suite carries no Valid-Until: Plinth trusts what it fetched for so long. */
const UNSIGNED_VALIDITY_MS = 7 * 24 * 3600 * 1000;
/** Packages that a changelog is looked for in, per source. */
const CANDIDATES = 8;
const CANDIDATE_LIMIT_BYTES = 48 * 1024 * 1024;

/** indexFeed is the name of a suite as a feed. */
export function indexFeed(suite: string): FeedName {
  return `debian-index:${suite}`;
}

/**
 * offersOf takes out of a verified index the newest version of each source that has binaries in it; pure. Sources
 * that an archive keeps for Built-Using alone (Extra-Source-Only) have no binary here, so they are no offer.
 */
export function offersOf(index: Pick<ArchiveIndex, 'packages'>): SourceOffer[] {
  const newest = new Map<string, { version: string; packages: BinaryPackage[] }>();
  for (const item of index.packages) {
    const { source, version } = trueSource({
      source: item.source,
      sourceVersion: item.source === item.name ? withoutRebuild(item.sourceVersion) : item.sourceVersion,
      builtUsing: parseBuiltUsing(item.builtUsing),
    });
    const known = newest.get(source);
    const order = known ? compareDebianVersions(version, known.version) : 1;
    if (order > 0) newest.set(source, { version, packages: [item] });
    else if (order === 0) known?.packages.push(item);
  }
  return [...newest].map(([source, { version, packages }]) => ({
    source,
    version,
    binaries: [...new Set(packages.map(({ name }) => name))].sort(),
    changelogIn: packages
      .filter(({ sizeBytes }) => sizeBytes <= CANDIDATE_LIMIT_BYTES)
      .sort((a, b) => rank(a, source) - rank(b, source))
      .slice(0, CANDIDATES)
      .map(
        ({ name, version: own, archive, path, sizeBytes, sha256 }): PoolFile => ({
          ...{ name, version: own, archive, path, sizeBytes, sha256 },
        }),
      ),
  }));
}

/** Smallest first; but what has nothing of its own (transitional, meta) mostly only links to another's papers. */
function rank({ name, sizeBytes, source }: BinaryPackage, wanted: string): number {
  const bare = sizeBytes < 6_000 ? 100_000_000 : 0;
  return sizeBytes + bare + (source === wanted ? 0 : 50_000_000) + (name.endsWith('-dbgsym') ? 1e9 : 0);
}

/** headOf is what is kept about a verified index. */
export function headOfIndex(index: ArchiveIndex, fetchedAt: Date): FeedHead {
  const validUntil = index.validUntil ?? new Date(fetchedAt.getTime() + UNSIGNED_VALIDITY_MS);
  return {
    name: indexFeed(index.suite),
    date: index.date.toISOString(),
    fetchedAt: fetchedAt.toISOString(),
    validUntil: validUntil.toISOString(),
    validitySource: index.validUntil ? 'feed' : 'plinth',
    sha256: index.inReleaseSha256,
    sizeBytes: 0,
    authenticity: 'archive-signature',
  };
}
