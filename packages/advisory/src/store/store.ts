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
 * run that was interrupted goes on with what is there. SQLite is the one store there is; the interface holds no more
 * than SQL can do anywhere.
 */
export interface AdvisoryStore {
  readonly feeds: () => readonly FeedHead[];
  /** Notes that a feed could not be read anew; its content stays. */
  readonly noteFailure: (name: FeedName, failure: NonNullable<FeedHead['failure']>) => void;
  /**
   * Replaces a suite's offers.
   * @throws advisory/bundle-older when what is here is newer
   */
  readonly replaceOffers: (head: FeedHead, offers: Iterable<SourceOffer>) => void;
  /** Replaces what a feed says. @throws advisory/bundle-older when what is here is newer */
  readonly replaceContent: (head: FeedHead, content: FeedContent) => void;
  readonly putChangelog: (changelog: ReadChangelog) => void;
  readonly offers: (sources: Iterable<string>) => readonly SeenOffer[];
  /** Every name of a source of which a suite has offers that begin like this, "golang-1.". */
  readonly sourcesLike: (prefix: string) => readonly string[];
  readonly changelog: (source: string, version: string) => StoredChangelog | undefined;
  readonly claims: (
    ecosystem: PackageClaim['ecosystem'],
    packages: Iterable<string>,
  ) => readonly PackageClaim[];
  /** "ecosystem name" of every package that claims or changelogs name together with one of these identifiers. */
  readonly packagesNamedWith: (ids: Iterable<string>) => ReadonlySet<string>;
  readonly details: (ids: Iterable<string>) => readonly FlawDetail[];
  /** Direct aliases, both ways. */
  readonly aliases: (ids: Iterable<string>) => readonly (readonly [string, string])[];
  /** Notes identifiers as seen now, unless they were before; gives when each was first seen. */
  readonly seen: (ids: Iterable<string>, now: string) => ReadonlyMap<string, string>;
  /** How many records a feed has. */
  readonly size: (name: FeedName) => number;
  /** All of it, for a bundle. */
  readonly dump: () => StoreDump;
  /** The newest date of what was ever imported under a name; an older one is refused. */
  readonly highWater: (name: string) => string | undefined;
  readonly raiseHighWater: (name: string, date: string) => void;
  readonly close: () => void;
}

/** The content of a store as data. */
export interface StoreDump {
  readonly heads: readonly FeedHead[];
  readonly offers: readonly { readonly feed: FeedName; readonly offers: readonly SourceOffer[] }[];
  readonly contents: readonly { readonly feed: FeedName; readonly content: FeedContent }[];
  readonly changelogs: readonly ReadChangelog[];
}
