import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Progress } from '@plinth/base';
import { hashText, type StageCache } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import { checkBudgets, checkPolicy } from '../policy/check-policy.ts';
import { gatherFacts } from '../policy/gather-facts.ts';
import { parsePolicy } from '../policy/policy.ts';
import { readCapabilities } from '../policy/read-capabilities.ts';
import { requirePolicy } from '../policy/require-policy.ts';
import { scanTree } from '../scan-tree.ts';
import type { TreeResult } from './build-tree.ts';
import { digestFolder } from './digest-folder.ts';

export interface Gate {
  readonly osDir: string;
  readonly toolbox: Toolbox;
  readonly cache: StageCache;
  /** Names of the packages in the image. */
  readonly packages: readonly string[];
  /** The day waivers are judged by, "2026-11-21". */
  readonly today: string;
}

const RULES_SOURCE = join(import.meta.dirname, '..', 'policy');

/**
 * gateTree lets a tree pass only when os/policy.yaml finds nothing in it.
 * The verdict is kept for the day: waivers end by date.
 * @throws policy/violations with every finding; policy/invalid
 */
export async function gateTree(tree: TreeResult, gate: Gate, progress: Progress): Promise<void> {
  const { toolbox, cache, packages, today } = gate;
  const { text, policy } = await readPolicy(gate.osDir);
  const inputs = { rules: await digestFolder(RULES_SOURCE), policy: hashText(text), tree: tree.key, today };
  await cache.stage('policy', 'Check the image policy', inputs, progress, async (work) => {
    const scanned = await scanTree(tree.root, tree.owners);
    const facts = await gatherFacts(scanned, policy, {
      packages,
      readCapabilities: (rootDir) => readCapabilities(toolbox, rootDir),
    });
    const report = checkPolicy(scanned, policy, facts, today);
    requirePolicy(report);
    await writeFile(join(work, 'report.json'), JSON.stringify(report));
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

async function readPolicy(osDir: string) {
  const path = join(osDir, 'policy.yaml');
  const text = await readFile(path, 'utf8');
  return { text, policy: parsePolicy(text, path) };
}
