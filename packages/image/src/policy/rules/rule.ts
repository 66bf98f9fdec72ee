import type { BuiltTree } from '../../types.ts';
import type { TreeFacts } from '../facts.ts';
import type { Finding } from '../finding.ts';
import type { Policy } from '../policy.ts';
import type { TreeIndex } from '../tree-index.ts';

export interface RuleInput {
  readonly tree: BuiltTree;
  readonly index: TreeIndex;
  readonly facts: TreeFacts;
  readonly policy: Policy;
}

/** A rule looks at the whole tree and names everything it objects to. */
export type Rule = (input: RuleInput) => readonly Finding[];
