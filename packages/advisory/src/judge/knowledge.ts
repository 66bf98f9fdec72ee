import type { FlawDetail, PackageClaim } from '../feeds/feed-content.ts';
import type {
  FeedState,
  Inventory,
  PredicateOutcome,
  VexJustification,
  VexPredicate,
} from '../model/index.ts';
import type { SeenOffer, StoredChangelog } from '../store/index.ts';

/** Everything the feeds say that concerns one inventory, as data; collected before judging, so that judging is pure. */
export interface Knowledge {
  readonly feeds: readonly FeedState[];
  /** Suites meant for systems of the subject's release: "trixie", "trixie-updates", "trixie-security". */
  readonly fixSuites: readonly string[];
  readonly offers: readonly SeenOffer[];
  /** By "source version". */
  readonly changelogs: ReadonlyMap<string, StoredChangelog>;
  readonly claims: readonly PackageClaim[];
}

/** What is known of identifiers themselves; asked once it is known which ones matter. */
export interface FlawFacts {
  readonly details: readonly FlawDetail[];
  /** Pairs of names that mean one flaw. */
  readonly aliases: readonly (readonly [string, string])[];
  /** When Plinth's feeds first named each identifier, ISO 8601. */
  readonly seenAt: ReadonlyMap<string, string>;
}

/** How predicates are proposed and asked; a part of its own, so that judging knows no file format. */
export interface EvidenceRules {
  readonly evaluate: (predicate: VexPredicate, inventory: Inventory, now: Date) => PredicateOutcome;
  readonly proposeKernel: (
    change: { readonly subject: string; readonly files?: readonly string[] },
    inventory: Inventory,
  ) => readonly { readonly predicate: VexPredicate; readonly justification: VexJustification }[];
  /** Why all code of a change is in the image's kernel; undefined: nothing shows it. Absent: kernels are not looked at. */
  readonly compiledKernel?: (
    change: { readonly subject: string; readonly files?: readonly string[] },
    inventory: Inventory,
  ) => string | undefined;
  /** Architectures that a text limits a flaw to, in Debian's names; undefined: it does not say. */
  readonly architecturesOf: (text: string) => readonly string[] | undefined;
}

export interface JudgeOptions {
  readonly now: Date;
  readonly evidence?: EvidenceRules;
  /** Statements of people that something is not affected; each is asked of the image before it counts. */
  readonly statements?: readonly {
    readonly id: string;
    readonly predicate: VexPredicate;
    readonly justification: VexJustification;
  }[];
  /** Also what is fixed in the image, by entries younger than this; default: nothing of that. */
  readonly fixedWithinMs?: number;
}

/** changelogKey is the key of a changelog in Knowledge. */
export function changelogKey(source: string, version: string): string {
  return `${source} ${version}`;
}
