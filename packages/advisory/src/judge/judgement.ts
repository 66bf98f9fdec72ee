import type {
  AffectedComponent,
  DebianStance,
  Evidence,
  FeedName,
  FindingClocks,
  IdState,
  Verdict,
  VexJustification,
} from '../model/index.ts';

/**
 * Who decides when sources disagree, best first: NVD's ranges never decide, they are no facts about a distribution. `note`
 * is what a vendor says that is not in force.
 */
export const rules = ['human', 'vex', 'tracker', 'osv', 'changelog', 'toolchain', 'note'] as const;
export type Rule = (typeof rules)[number];

/** What one rule says about one identifier in one component. */
export interface Judgement {
  readonly rule: Rule;
  readonly id: string;
  readonly aliases: readonly string[];
  readonly state: IdState;
  readonly component: AffectedComponent;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly justification?: VexJustification;
  readonly stance?: DebianStance;
  readonly evidence: readonly Evidence[];
  readonly clocks: FindingClocks;
  readonly feeds: readonly FeedName[];
  readonly unknownSince?: string;
  readonly title?: string;
  /** Names, as Go's linker writes them, of all functions that have the flaw; absent: not known, or whole packages. */
  readonly goFunctions?: readonly string[];
}
