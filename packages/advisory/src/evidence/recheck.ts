import type { CheckedStatement, Inventory, VexJustification, VexPredicate } from '../model/index.ts';
import { evaluatePredicate } from './evaluate-predicate.ts';
import type { ProgramFacts } from './program-facts.ts';

/** A published "not affected": it holds as long as its predicate does. */
export interface VexStatement {
  /** The flaw, "CVE-2026-35189". */
  readonly id: string;
  readonly justification: VexJustification;
  readonly predicate: VexPredicate;
}

/** recheck asks an image every statement's predicate again. Pure. */
export function recheck(
  statements: readonly VexStatement[],
  inventory: Inventory,
  now: Date,
  programs?: ProgramFacts,
): CheckedStatement[] {
  return statements.map((statement) => ({
    ...statement,
    outcome: evaluatePredicate(statement.predicate, inventory, now, programs),
  }));
}

/** What became of statements with the facts of a new image. */
export interface SortedStatements {
  readonly held: readonly CheckedStatement[];
  /** Their predicate no longer holds: these identifiers are open again. */
  readonly reopened: readonly CheckedStatement[];
  /** Facts are missing: these identifiers are unknown, not "not affected". */
  readonly unknown: readonly CheckedStatement[];
}

/**
 * sortStatements tells which identifiers stay closed. Where several statements speak for one, one that holds is enough, and
 * one that fails beside it is listed as reopened only when none holds. Pure.
 */
export function sortStatements(checked: readonly CheckedStatement[]): SortedStatements {
  const held = checked.filter(({ outcome }) => outcome.holds === 'yes');
  const safe = new Set(held.map(({ id }) => id));
  const rest = checked.filter(({ id }) => !safe.has(id));
  return {
    held,
    reopened: rest.filter(({ outcome }) => outcome.holds === 'no'),
    unknown: rest.filter(({ outcome }) => outcome.holds === 'unknown'),
  };
}
