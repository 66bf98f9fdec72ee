/** Every source of claims Plinth can read. A Debian suite is a feed of its own: "debian-index:trixie-security". */
export type FeedName =
  | `debian-index:${string}`
  | 'debian-changelogs'
  | 'debian-tracker'
  | 'osv-debian'
  | 'osv-go'
  | 'osv-npm'
  | 'nvd'
  | 'kev'
  | 'epss'
  | 'kernel-cna'
  | 'csaf';

/**
 * `fresh` is the only state from which "not open" may follow. `partial`: read, and it has known holes, named in
 * `detail`. The others mean that the feed says nothing at all now.
 */
export type FeedCondition = 'fresh' | 'partial' | 'stale' | 'missing' | 'truncated' | 'unreadable';

/** Who vouches for a feed's bytes. */
export type FeedAuthenticity = 'archive-signature' | 'bundle-signature' | 'transport' | 'none';

/** One feed as a report saw it: what it was, how old, and whether it could be believed. Dates are ISO 8601, UTC. */
export interface FeedState {
  readonly name: FeedName;
  readonly condition: FeedCondition;
  /** What is wrong, or which holes it has; absent when fresh. */
  readonly detail?: string;
  /** What the feed says its own date is; absent when missing. */
  readonly date?: string;
  readonly fetchedAt?: string;
  /** After this it is stale: the feed's own Valid-Until, or `date` and the longest age Plinth allows. */
  readonly validUntil?: string;
  /** Whether `validUntil` was signed by the source, or is Plinth's own bound. */
  readonly validitySource?: 'feed' | 'plinth';
  /** Since `fetchedAt`, at the time of judging. */
  readonly ageMs?: number;
  /** SHA-256 of the bytes that were read; for an index that of its InRelease. */
  readonly sha256?: string;
  readonly sizeBytes?: number;
  readonly authenticity: FeedAuthenticity;
}
