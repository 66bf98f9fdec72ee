import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashText, type StageCache } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import { checkPolicy } from '../policy/check-policy.ts';
import type { TreeFacts } from '../policy/facts.ts';
import { gatherFacts } from '../policy/gather-facts.ts';
import { type Policy, parsePolicy } from '../policy/policy.ts';
import { readCapabilities } from '../policy/read-capabilities.ts';
import { requirePolicy } from '../policy/require-policy.ts';
import type { BuiltTree } from '../types.ts';
import { digestFolder } from './digest-folder.ts';

/** What holds a tree against os/policy.yaml, and keeps the verdict. */
export interface PolicyGate {
  readonly osDir: string;
  readonly toolbox: Toolbox;
  readonly cache: StageCache;
  /** The day waivers are judged by, "2026-11-21". */
  readonly today: string;
}

const RULES_SOURCE = join(import.meta.dirname, '..', 'policy');

/** readPolicy reads the image policy, as data and as it is written. @throws policy/invalid */
export async function readPolicy(osDir: string): Promise<{ readonly text: string; readonly policy: Policy }> {
  const path = join(osDir, 'policy.yaml');
  const text = await readFile(path, 'utf8');
  return { text, policy: parsePolicy(text, path) };
}

/** policyInputs is what a verdict depends on beside the tree: the policy as it is written, and the rules that read it. */
export async function policyInputs(
  text: string,
): Promise<{ readonly rules: string; readonly policy: string }> {
  return { rules: await digestFolder(RULES_SOURCE), policy: hashText(text) };
}

/** factsOf looks into the files of a tree. @param packages names of those in it */
export function factsOf(
  tree: BuiltTree,
  policy: Policy,
  packages: readonly string[],
  toolbox: Toolbox,
): Promise<TreeFacts> {
  return gatherFacts(tree, policy, {
    packages,
    readCapabilities: (rootDir) => readCapabilities(toolbox, rootDir),
  });
}

/** passPolicy lets a tree pass only when the policy finds nothing in it, and writes the report. @throws policy/violations */
export async function passPolicy(
  tree: BuiltTree,
  policy: Policy,
  facts: TreeFacts,
  today: string,
  reportDir: string,
): Promise<void> {
  const report = checkPolicy(tree, policy, facts, today);
  requirePolicy(report);
  await writeFile(join(reportDir, 'report.json'), JSON.stringify(report));
}
