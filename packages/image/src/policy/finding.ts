import type { RuleName } from './policy.ts';

/** One thing in the tree that the policy forbids. */
export interface Finding {
  readonly rule: RuleName;
  /** A path, or the name of what was counted or measured: "packages", "root". */
  readonly subject: string;
  /** The package the path came from. */
  readonly package?: string;
  /** "<state>, expected <state>". */
  readonly reason: string;
}
