import type { Evidence, VexJustification } from './evidence.ts';
import type { DebianStance, FindingClocks, Verdict } from './finding.ts';
import type { ExploitPrediction, KnownExploited, SeverityClaim, VulnerabilityId } from './vulnerability.ts';

/** A release of Plinth that the record speaks about. */
export interface RecordProduct {
  /** Stable, used as product id in CSAF and CVRF: "plinth_0.1.1_x86-64". */
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** "x86-64". */
  readonly architecture: string;
  readonly released?: string;
  /** SHA-256 of the release's manifest; the product of an OpenVEX statement. */
  readonly digest?: string;
  readonly rootHash?: string;
}

/** The part of a product that has the flaw. */
export interface RecordComponent {
  readonly ecosystem: 'debian' | 'go' | 'npm';
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly binaries: readonly string[];
  readonly files: readonly string[];
  /** First version of the component known to be affected; absent: not known. */
  readonly firstAffected?: string;
  readonly fixVersion?: string;
}

/** What is true of one product; there is at most one for each product and record. */
export interface RecordStatus {
  /** `id` of a RecordProduct. */
  readonly product: string;
  readonly verdict: Verdict;
  readonly reason: string;
  /** With `not-affected` only. */
  readonly justification?: VexJustification;
  readonly components: readonly RecordComponent[];
  /** `id` of the first product that has the fix; absent: none yet. */
  readonly fixedInProduct?: string;
  readonly evidence: readonly Evidence[];
  readonly decidedAt: string;
}

/** What a user can do. */
export interface Remediation {
  readonly kind: 'fix' | 'mitigation' | 'workaround' | 'none-available' | 'no-fix-planned';
  readonly text: string;
  /** `id`s of the products it is for. */
  readonly products: readonly string[];
  readonly restart: 'none' | 'service' | 'machine';
  readonly url?: string;
  readonly date?: string;
}

export interface RecordRevision {
  /** 1, 2, 3, … without holes. */
  readonly number: number;
  readonly date: string;
  readonly summary: string;
}

export interface RecordReference {
  readonly url: string;
  readonly summary: string;
  readonly kind: 'self' | 'external';
}

/**
 * All that Plinth publishes about one flaw. CSAF, CSAF VEX, CVRF, OSV, OpenVEX, the index, the feed and the pages are
 * made from this and from nothing else; reading any of them back gives the same (id, product, verdict, fix) set.
 * Dates are ISO 8601, UTC. Texts are plain text: whoever writes markup escapes them.
 */
export interface AdvisoryRecord {
  readonly format: 1;
  /** "PLSA-2026-0001". */
  readonly id: string;
  readonly vulnerability: VulnerabilityId;
  readonly title: string;
  readonly description: string;
  readonly weaknesses: readonly { readonly id: string; readonly name: string }[];
  readonly severities: readonly SeverityClaim[];
  readonly stance?: DebianStance;
  readonly knownExploited?: KnownExploited;
  readonly prediction?: ExploitPrediction;
  /** Every product a status names, oldest first. */
  readonly products: readonly RecordProduct[];
  readonly statuses: readonly RecordStatus[];
  readonly remediations: readonly Remediation[];
  readonly references: readonly RecordReference[];
  readonly clocks: FindingClocks & {
    readonly builtAt?: string;
    readonly validatedAt?: string;
    readonly releasedAt?: string;
  };
  readonly state: 'draft' | 'interim' | 'final';
  readonly publishedAt: string;
  readonly modifiedAt: string;
  readonly revisions: readonly RecordRevision[];
  /** The record stays, and says that it was wrong or that the identifier was rejected. */
  readonly withdrawn?: { readonly at: string; readonly reason: string };
}
