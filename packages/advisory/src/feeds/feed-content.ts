import type {
  ChangelogClaim,
  DebianStance,
  ExploitPrediction,
  FeedAuthenticity,
  FeedName,
  IdState,
  KnownExploited,
  SeverityClaim,
  Verdict,
  VexJustification,
} from '../model/index.ts';

/** What is kept about a feed that was read: everything but its age, which depends on when one asks. */
export interface FeedHead {
  readonly name: FeedName;
  readonly date: string;
  readonly fetchedAt: string;
  readonly validUntil: string;
  readonly validitySource: 'feed' | 'plinth';
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly authenticity: FeedAuthenticity;
  /** Holes it is known to have. */
  readonly holes?: string;
  /** The newest attempt to read it anew failed, and why; what is here is the content before. */
  readonly failure?: {
    readonly at: string;
    readonly condition: 'truncated' | 'unreadable' | 'stale' | 'missing';
    readonly detail: string;
  };
}

/** A .deb of the pool. */
export interface PoolFile {
  readonly name: string;
  readonly version: string;
  readonly archive: 'debian' | 'security';
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** The newest version of a source package that a suite offers binaries of. */
export interface SourceOffer {
  readonly source: string;
  readonly version: string;
  /** Names of the binaries it offers at that version. */
  readonly binaries: readonly string[];
  /** Where its changelog may be, best first. */
  readonly changelogIn: readonly PoolFile[];
}

/** One entry of a changelog: what it says about identifiers. */
export interface EntryClaims {
  readonly version: string;
  readonly date?: string;
  readonly distributions: readonly string[];
  readonly claims: readonly ChangelogClaim[];
}

/** A changelog as it was found in a package of the pool, or why there is none. */
export interface ReadChangelog {
  readonly source: string;
  /** Source version of the package it was looked for in. */
  readonly version: string;
  readonly state: 'read' | 'missing' | 'unreadable';
  readonly detail: string;
  /** Newest first. */
  readonly entries: readonly EntryClaims[];
}

/** Versions a flaw is in: from `introduced` (absent: the first) up to but without `fixed`, or up to `lastAffected`. */
export interface AffectedRange {
  readonly introduced?: string;
  readonly fixed?: string;
  readonly lastAffected?: string;
}

/** What a feed says about one flaw in one package. */
export interface PackageClaim {
  readonly feed: FeedName;
  readonly id: string;
  readonly aliases: readonly string[];
  readonly state: IdState;
  readonly ecosystem: 'debian' | 'go' | 'npm';
  readonly package: string;
  /** Debian's name of the release it is about; absent: not bound to one. */
  readonly release?: string;
  readonly ranges: readonly AffectedRange[];
  /** Versions that have it, one by one, beside the ranges. */
  readonly versions?: readonly string[];
  readonly stance?: DebianStance;
  readonly title?: string;
  /** For Go: the packages, and functions, that have it: "net/http" → ["Server.Serve"]. */
  readonly symbols?: Readonly<Record<string, readonly string[]>>;
  readonly at?: string;
  /** Present when a vendor's document says so: its verdict for just the versions above, which are no range of the flaw. */
  readonly statement?: VendorStatement;
}

/** What a vendor says in a CSAF or OpenVEX document about a flaw in one package. Dates are ISO 8601. */
export interface VendorStatement {
  readonly verdict: Verdict;
  /** Whose word it is: the publisher or author, as the document names them. */
  readonly by: string;
  /** The document's own id. */
  readonly document: string;
  /** A source package of Debian, a binary one (or either, where the document does not say), or a Go or npm module. */
  readonly about: 'source' | 'package' | 'module';
  readonly justification?: VexJustification;
  /** The vendor's reason in one line. */
  readonly words?: string;
  readonly at: string;
  /** Neither format has an end; Plinth believes "fixed" and "not affected" no longer than this. */
  readonly validUntil: string;
}

/** What a feed says about a flaw itself, whatever has it. */
export interface FlawDetail {
  readonly feed: FeedName;
  readonly id: string;
  readonly aliases: readonly string[];
  readonly state: IdState;
  readonly title?: string;
  readonly disclosedAt?: string;
  readonly severities: readonly SeverityClaim[];
  readonly knownExploited?: KnownExploited;
  readonly prediction?: ExploitPrediction;
  /** Source files of the kernel that the fix touches. */
  readonly programFiles?: readonly string[];
}

/** Everything an adapter takes out of a feed's document. */
export interface FeedContent {
  readonly date: string;
  readonly claims: readonly PackageClaim[];
  readonly details: readonly FlawDetail[];
}
