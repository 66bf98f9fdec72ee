import type {
  EntryClaims,
  FeedContent,
  FeedHead,
  FlawDetail,
  PackageClaim,
  ReadChangelog,
  SourceOffer,
} from '../feeds/feed-content.ts';
import type { FeedName } from '../model/index.ts';

/** An offer with the suite that makes it and when a signed index with it was first seen. */
export interface SeenOffer extends SourceOffer {
  readonly feed: FeedName;
  readonly firstSeen: { readonly indexDate: string; readonly indexSha256: string };
}

export interface StoredEntry extends Omit<EntryClaims, 'claims'> {
  /** Parsed when asked for: most entries are never looked into. */
  readonly claims: () => EntryClaims['claims'];
}

export interface StoredChangelog extends Omit<ReadChangelog, 'entries'> {
  readonly entries: readonly StoredEntry[];
}

/**
 * Where feeds are kept. Each method that writes is one transaction: another process sees all of it or nothing, and a
 * run that was interrupted goes on with what is there. In SQLite or PostgreSQL; the interface holds no more than SQL can do
 * anywhere. Each method fails with advisory/store-failed when the database does.
 */
export interface AdvisoryStore {
  readonly feeds: () => Promise<readonly FeedHead[]>;
  /** Notes that a feed could not be read anew; its content stays. */
  readonly noteFailure: (name: FeedName, failure: NonNullable<FeedHead['failure']>) => Promise<void>;
  /**
   * Replaces a suite's offers.
   * @throws advisory/bundle-older when what is here is newer
   */
  readonly replaceOffers: (head: FeedHead, offers: Iterable<SourceOffer>) => Promise<void>;
  /** Replaces what a feed says. @throws advisory/bundle-older when what is here is newer */
  readonly replaceContent: (head: FeedHead, content: FeedContent) => Promise<void>;
  readonly putChangelog: (changelog: ReadChangelog) => Promise<void>;
  readonly offers: (sources: Iterable<string>) => Promise<readonly SeenOffer[]>;
  /** Every name of a source of which a suite has offers that begin like this, "golang-1.". */
  readonly sourcesLike: (prefix: string) => Promise<readonly string[]>;
  readonly changelog: (source: string, version: string) => Promise<StoredChangelog | undefined>;
  readonly claims: (
    ecosystem: PackageClaim['ecosystem'],
    packages: Iterable<string>,
  ) => Promise<readonly PackageClaim[]>;
  /** "ecosystem name" of every package that claims or changelogs name together with one of these identifiers. */
  readonly packagesNamedWith: (ids: Iterable<string>) => Promise<ReadonlySet<string>>;
  readonly details: (ids: Iterable<string>) => Promise<readonly FlawDetail[]>;
  /** Direct aliases, both ways. */
  readonly aliases: (ids: Iterable<string>) => Promise<readonly (readonly [string, string])[]>;
  /** Notes identifiers as seen now, unless they were before; gives when each was first seen. */
  readonly seen: (ids: Iterable<string>, now: string) => Promise<ReadonlyMap<string, string>>;
  /** How many records a feed has. */
  readonly size: (name: FeedName) => Promise<number>;
  /** All of it, for a bundle. */
  readonly dump: () => Promise<StoreDump>;
  /** The newest date of what was ever imported under a name; an older one is refused. */
  readonly highWater: (name: string) => Promise<string | undefined>;
  readonly raiseHighWater: (name: string, date: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The content of a store as data. */
export interface StoreDump {
  readonly heads: readonly FeedHead[];
  readonly offers: readonly { readonly feed: FeedName; readonly offers: readonly SourceOffer[] }[];
  readonly contents: readonly { readonly feed: FeedName; readonly content: FeedContent }[];
  readonly changelogs: readonly ReadChangelog[];
}
