import type { Inventory, PredicateOutcome, VexJustification, VexPredicate } from '../model/index.ts';
import { evaluatePredicate } from './evaluate-predicate.ts';
import type { ProgramFacts } from './program-facts.ts';

/** A published "not affected": it holds as long as its predicate does. */
export interface VexStatement {
  /** The flaw, "CVE-2026-35189". */
  readonly id: string;
  readonly justification: VexJustification;
  readonly predicate: VexPredicate;
}

export interface Recheck {
  readonly statement: VexStatement;
  readonly outcome: PredicateOutcome;
}

/** What became of the statements with the facts of a new image. */
export interface RecheckResult {
  readonly held: readonly Recheck[];
  /** Their predicate no longer holds: these identifiers are open again. */
  readonly reopened: readonly Recheck[];
  /** Facts are missing: these identifiers are unknown, not "not affected". */
  readonly unknown: readonly Recheck[];
}

/**
 * recheck asks every statement's predicate again. Where several statements speak for one identifier, one that holds is
 * enough, and one that fails beside it is still listed as reopened only when none holds. Pure.
 */
export function recheck(
  statements: readonly VexStatement[],
  inventory: Inventory,
  now: Date,
  programs?: ProgramFacts,
): RecheckResult {
  const all = statements.map((statement) => ({
    statement,
    outcome: evaluatePredicate(statement.predicate, inventory, now, programs),
  }));
  const held = all.filter(({ outcome }) => outcome.holds === 'yes');
  const safe = new Set(held.map(({ statement }) => statement.id));
  const rest = all.filter(({ statement }) => !safe.has(statement.id));
  return {
    held,
    reopened: rest.filter(({ outcome }) => outcome.holds === 'no'),
    unknown: rest.filter(({ outcome }) => outcome.holds === 'unknown'),
  };
}
