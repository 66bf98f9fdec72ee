import type { FeedName } from './feed.ts';

/** OpenVEX 0.2.0 and CSAF 2.0 give the same five reasons for "not affected". */
export const vexJustifications = [
  'component_not_present',
  'vulnerable_code_not_present',
  'vulnerable_code_not_in_execute_path',
  'vulnerable_code_cannot_be_controlled_by_adversary',
  'inline_mitigations_already_exist',
] as const;

export type VexJustification = (typeof vexJustifications)[number];

/**
 * A question to the image that a machine can ask again at every build. A "not affected" holds as long as its
 * predicate holds, and no longer.
 */
export type VexPredicate =
  /** None of these paths is in the signed root. */
  | { readonly kind: 'path-absent'; readonly paths: readonly string[] }
  /** None of these source or binary packages is in the image, nor built into one. */
  | { readonly kind: 'package-absent'; readonly packages: readonly string[] }
  /** The kernel was compiled without all of these symbols ("CONFIG_F2FS_FS"). */
  | { readonly kind: 'config-off'; readonly symbols: readonly string[] }
  /** None of these modules ("f2fs") is in the image, and none is built in. */
  | { readonly kind: 'module-absent'; readonly modules: readonly string[] }
  /** These modules are shipped but denied, and the deny-list is in the signed root. */
  | { readonly kind: 'module-denied'; readonly modules: readonly string[] }
  /** The flaw exists only on these architectures (Debian names: "arm64"), the image is of another. */
  | { readonly kind: 'other-architecture'; readonly affected: readonly string[] }
  /** No ELF file of the image imports any of these symbols of this library. */
  | { readonly kind: 'symbol-not-imported'; readonly library: string; readonly symbols: readonly string[] }
  /** None of these functions is linked into the Go programs at `paths`. */
  | {
      readonly kind: 'go-symbol-absent';
      readonly paths: readonly string[];
      readonly symbols: readonly string[];
    }
  /** A person's judgement; counts until its end, never longer. ISO 8601. */
  | { readonly kind: 'human'; readonly author: string; readonly reason: string; readonly expiresAt: string };

/** Whether a predicate holds. `unknown` is not "holds". */
export interface PredicateOutcome {
  readonly holds: 'yes' | 'no' | 'unknown';
  /** One sentence that names what was looked at and what was found. */
  readonly detail: string;
}

/** A "not affected" with its question, and what the image answered when it was built. */
export interface CheckedStatement {
  /** The flaw, "CVE-2026-35189". */
  readonly id: string;
  readonly justification: VexJustification;
  readonly predicate: VexPredicate;
  readonly outcome: PredicateOutcome;
}

export type EvidenceKind =
  | 'version'
  | 'index'
  | 'changelog'
  | 'tracker'
  | 'osv'
  | 'nvd'
  | 'kernel-cna'
  | 'csaf'
  | 'built-using'
  | 'go-module'
  | 'go-toolchain'
  | 'npm-module'
  | 'kernel-config'
  | 'kernel-module'
  | 'file'
  | 'elf-symbol'
  | 'architecture'
  | 'human';

/** `proven`: signed data or the image itself. `stated`: one source says so. `derived`: Plinth concluded it from text. */
export type Confidence = 'proven' | 'stated' | 'derived';

/** One reason for a verdict, or against it: those that lost are kept and shown. */
export interface Evidence {
  readonly kind: EvidenceKind;
  /** What it speaks for. `mentions`: the identifier is named, nothing is claimed. */
  readonly speaksFor: 'open' | 'fixed' | 'not-affected' | 'mentions' | 'unknown';
  /** One sentence for people. */
  readonly statement: string;
  /** The feed that says so, or "image" when it was read out of the image itself. */
  readonly source: FeedName | 'image' | 'human';
  /** Where in the source: package and version, path in the image, name of a record. */
  readonly locator?: string;
  readonly confidence: Confidence;
  /** When the source said so; ISO 8601. */
  readonly at?: string;
  /** Of an index: what it offers, and the digest of its InRelease. Its own date is `at`. */
  readonly offer?: { readonly source: string; readonly version: string; readonly indexSha256: string };
  readonly predicate?: VexPredicate;
  readonly outcome?: PredicateOutcome;
}
