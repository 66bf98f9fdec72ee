import type { Evidence, VexJustification } from './evidence.ts';
import type { FeedName, FeedState } from './feed.ts';
import type { Inventory } from './inventory.ts';
import type { ExploitPrediction, KnownExploited, SeverityClaim, VulnerabilityId } from './vulnerability.ts';

/** Worst first: so findings are listed, and so the worst component decides for a flaw. */
export const verdicts = ['open', 'unknown', 'not-affected', 'fixed'] as const;

/** `unknown`: could not be told. It is never counted as good. */
export type Verdict = (typeof verdicts)[number];

/** What Debian says about an identifier that has no fix: five states that must not be mixed up. */
export type DebianStance =
  | 'open'
  | 'resolved'
  | 'never-affected'
  | 'undetermined'
  | 'end-of-life'
  | 'ignored'
  | 'postponed'
  | 'no-dsa'
  | 'unimportant';

/** A thing in the image that the flaw concerns. */
export interface AffectedComponent {
  readonly ecosystem: 'debian' | 'go' | 'npm';
  /** Source package, Go module path ("stdlib" for the standard library), npm package. */
  readonly name: string;
  /** Version in the image, of the source package. */
  readonly version: string;
  /** Binary packages of the image that come from it. */
  readonly binaries: readonly string[];
  /** Files concerned, as far as they are known. */
  readonly files: readonly string[];
  /** First version that has the fix; absent: none exists, or none is known. */
  readonly fixVersion?: string;
  /** Signed index that offers it, "trixie-security". */
  readonly fixSuite?: string;
  /** How the flaw comes in when not by the package's own source: "runc is built using golang-1.24 1.24.4-1". */
  readonly via?: string;
}

/** Instants a clock can start at, ISO 8601; each from a signed or dated source. */
export interface FindingClocks {
  readonly disclosedAt?: string;
  /** First time one of Plinth's feeds named it. */
  readonly seenAt?: string;
  /** Date of the entry that fixes it, as its changelog says. */
  readonly fixMadeAt?: string;
  /** Date of the first signed index seen that offers the fix. */
  readonly fixAvailableAt?: string;
}

/** Everything known about one flaw in one image. */
export interface Finding {
  readonly vulnerability: VulnerabilityId;
  readonly verdict: Verdict;
  /** One sentence: why this verdict. */
  readonly reason: string;
  /** Reason of "not affected" in the terms of VEX; present with that verdict only. */
  readonly justification?: VexJustification;
  readonly components: readonly AffectedComponent[];
  readonly severities: readonly SeverityClaim[];
  readonly stance?: DebianStance;
  readonly knownExploited?: KnownExploited;
  readonly prediction?: ExploitPrediction;
  readonly title?: string;
  readonly clocks: FindingClocks;
  /** With verdict `unknown`: since when it cannot be told (the end of validity of the feed that is missed). */
  readonly unknownSince?: string;
  /** Decisive first; the ones that were overruled after them. */
  readonly evidence: readonly Evidence[];
  /** Whether sources contradict each other; such findings make a queue of their own. */
  readonly disputed: boolean;
  /** Feeds the verdict rests on; their ages are in the report's `feeds`. */
  readonly feeds: readonly FeedName[];
}

/** The result of one scan. An empty one is a result too: it says what was read and when. */
export interface ScanReport {
  readonly format: 1;
  readonly subject: Inventory['subject'];
  readonly inputs: Inventory['inputs'];
  /** The instant verdicts and ages hold for, ISO 8601. */
  readonly judgedAt: string;
  readonly feeds: readonly FeedState[];
  /** Open first, then unknown, not affected, fixed; worst first inside. */
  readonly findings: readonly Finding[];
  readonly counts: Readonly<Record<Verdict, number>>;
  /** How much was looked at. */
  readonly looked: {
    readonly binaries: number;
    readonly sources: number;
    readonly goPrograms: number;
    readonly goModules: number;
    readonly npmModules: number;
  };
  /** What could not be looked at; also holes in the archive's pool. */
  readonly gaps: readonly string[];
  /**
   * Whether "nothing else is open" may be said. False as soon as a feed that answers this question is not fresh;
   * `clean` needs this and no open or unknown finding.
   */
  readonly complete: boolean;
}
