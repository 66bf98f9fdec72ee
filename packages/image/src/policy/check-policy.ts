import type { BuiltTree } from '../types.ts';
import type { TreeFacts } from './facts.ts';
import type { Finding } from './finding.ts';
import { matchGlob } from './match-glob.ts';
import type { Policy, Waiver } from './policy.ts';
import {
  danglingLinks,
  foreignOwners,
  packageCount,
  specialFiles,
  worldWritable,
} from './rules/file-kinds.ts';
import { forbiddenPrograms } from './rules/forbidden-programs.ts';
import { libraries } from './rules/libraries.ts';
import { privileges } from './rules/privileges.ts';
import type { Rule } from './rules/rule.ts';
import { scripts } from './rules/scripts.ts';
import { indexTree } from './tree-index.ts';

/** What the gate says about a tree. It is open only when `findings` and `staleWaivers` are empty. */
export interface PolicyReport {
  readonly findings: readonly Finding[];
  /** Findings that a waiver excuses until its date. */
  readonly waived: readonly { readonly finding: Finding; readonly waiver: Waiver }[];
  readonly staleWaivers: readonly { readonly waiver: Waiver; readonly state: 'expired' | 'unused' }[];
}

const treeRules: readonly Rule[] = [
  forbiddenPrograms,
  scripts,
  privileges,
  libraries,
  specialFiles,
  worldWritable,
  danglingLinks,
  foreignOwners,
  packageCount,
];

/**
 * checkPolicy holds a tree against the policy and reports everything at once; pure.
 * @param today the day waivers are judged on, "2026-11-21"
 */
export function checkPolicy(tree: BuiltTree, policy: Policy, facts: TreeFacts, today: string): PolicyReport {
  const input = { tree, index: indexTree(tree), facts, policy };
  const findings = treeRules.flatMap((rule) => rule(input));
  return judge(
    findings,
    policy.waivers.filter(({ rule }) => rule !== 'size-budget'),
    today,
  );
}

/**
 * checkBudgets holds measured sizes against the policy's budgets; pure. A budget of which no size is given is
 * a finding too: what was not measured is not known to fit.
 * @param sizes in bytes, by the names used under `budgetsMiB`
 */
export function checkBudgets(
  policy: Policy,
  sizes: Readonly<Record<string, number>>,
  today: string,
): PolicyReport {
  const findings = Object.entries(policy.budgetsMiB).flatMap(([subject, budgetMiB]): Finding[] => {
    const sizeBytes = sizes[subject];
    const expected = `expected at most ${budgetMiB} MiB`;
    if (sizeBytes === undefined) {
      return [{ rule: 'size-budget', subject, reason: `its size was not measured, ${expected}` }];
    }
    const sizeMiB = sizeBytes / 2 ** 20;
    if (sizeMiB <= budgetMiB) return [];
    return [{ rule: 'size-budget', subject, reason: `it takes ${sizeMiB.toFixed(1)} MiB, ${expected}` }];
  });
  return judge(
    findings,
    policy.waivers.filter(({ rule }) => rule === 'size-budget'),
    today,
  );
}

/** Sets waived findings apart. A waiver holds through its last day; one that is past or excuses nothing is stale. */
function judge(findings: readonly Finding[], waivers: readonly Waiver[], today: string): PolicyReport {
  const excuses = (waiver: Waiver, finding: Finding) =>
    waiver.rule === finding.rule && matchGlob(waiver.path, finding.subject);
  const valid = waivers.filter(({ expires }) => expires >= today);
  const judged = findings.map((finding) => ({
    finding,
    waiver: valid.find((waiver) => excuses(waiver, finding)),
  }));
  return {
    findings: judged.filter(({ waiver }) => !waiver).map(({ finding }) => finding),
    waived: judged.flatMap(({ finding, waiver }) => (waiver ? [{ finding, waiver }] : [])),
    staleWaivers: waivers.flatMap((waiver): PolicyReport['staleWaivers'] => {
      if (waiver.expires < today) return [{ waiver, state: 'expired' }];
      if (findings.some((finding) => excuses(waiver, finding))) return [];
      return [{ waiver, state: 'unused' }];
    }),
  };
}
