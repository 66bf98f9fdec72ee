import type { Progress } from '@plinth/base';
import { checkBudgets } from '../policy/check-policy.ts';
import { requirePolicy } from '../policy/require-policy.ts';
import { scanTree } from '../scan-tree.ts';
import type { TreeResult } from './build-tree.ts';
import { factsOf, type PolicyGate, passPolicy, policyInputs, readPolicy } from './policy-gate.ts';

export interface Gate extends PolicyGate {
  /** Names of the packages in the image. */
  readonly packages: readonly string[];
}

/**
 * gateTree lets a tree pass only when os/policy.yaml finds nothing in it.
 * The verdict is kept for the day: waivers end by date.
 * @throws policy/violations with every finding; policy/invalid
 */
export async function gateTree(tree: TreeResult, gate: Gate, progress: Progress): Promise<void> {
  const { toolbox, cache, packages, today } = gate;
  const { text, policy } = await readPolicy(gate.osDir);
  const inputs = { ...(await policyInputs(text)), tree: tree.key, today };
  await cache.stage('policy', 'Check the image policy', inputs, progress, async (work) => {
    const scanned = await scanTree(tree.root, tree.owners);
    const facts = await factsOf(scanned, policy, packages, toolbox);
    await passPolicy(scanned, policy, facts, today, work);
  });
}

/**
 * gateSizes holds the sizes of the finished parts against the policy's budgets.
 * @param sizes in bytes, by the names under `budgetsMiB`
 * @throws policy/violations
 */
export async function gateSizes(
  sizes: Readonly<Record<string, number>>,
  gate: Pick<Gate, 'osDir' | 'today'>,
): Promise<void> {
  const { policy } = await readPolicy(gate.osDir);
  requirePolicy(checkBudgets(policy, sizes, gate.today));
}
