import { basename, join } from 'node:path';
import type { Progress } from '@plinth/base';
import { factsOf, type PolicyGate, passPolicy, policyInputs, readPolicy } from '../build/policy-gate.ts';
import { compareText } from '../compare-text.ts';
import type { TreeFacts } from '../policy/facts.ts';
import { scanTree } from '../scan-tree.ts';
import type { BuiltTree } from '../types.ts';

/**
 * gateHotLayer lets a hot layer pass only when os/policy.yaml finds nothing in the base with the layer over it: that is what
 * a node will run, and where a library of the layer must find what it needs. The verdict is kept for the day: waivers end by
 * date.
 * @param layerDir the assembled layer, a stage with `root`
 * @throws policy/violations with every finding; policy/invalid
 */
export async function gateHotLayer(
  layerDir: string,
  base: { readonly treeDir: string; readonly rootHash: string; readonly packages: readonly string[] },
  gate: PolicyGate,
  progress: Progress,
): Promise<void> {
  const { text, policy } = await readPolicy(gate.osDir);
  const inputs = {
    ...(await policyInputs(text)),
    ...{ layer: basename(layerDir), base: base.rootHash, today: gate.today },
  };
  await gate.cache.stage(
    'hot-layer-policy',
    'Check the image policy over base and layer',
    inputs,
    progress,
    async (work) => {
      const look = async (rootDir: string): Promise<{ tree: BuiltTree; facts: TreeFacts }> => {
        const tree = await scanTree(rootDir, new Map());
        return { tree, facts: await factsOf(tree, policy, base.packages, gate.toolbox) };
      };
      const [below, above] = [await look(base.treeDir), await look(join(layerDir, 'root'))];
      const entries = new Map(
        [...below.tree.entries, ...above.tree.entries].map((entry) => [entry.path, entry]),
      );
      const merged: BuiltTree = {
        rootDir: base.treeDir,
        entries: [...entries.values()].sort((a, b) => compareText(a.path, b.path)),
      };
      const facts: TreeFacts = {
        files: over(below.facts.files, above.facts.files, above.tree),
        capabilities: over(below.facts.capabilities, above.facts.capabilities, above.tree),
        foreignOwned: over(below.facts.foreignOwned, above.facts.foreignOwned, above.tree),
        packages: base.packages,
      };
      await passPolicy(merged, policy, facts, gate.today, work);
    },
  );
}

/** What is known of a path below does not hold where the layer has it. */
function over<T>(
  below: ReadonlyMap<string, T>,
  above: ReadonlyMap<string, T>,
  layer: BuiltTree,
): Map<string, T> {
  const covered = new Set(layer.entries.map(({ path }) => path));
  return new Map([...[...below].filter(([path]) => !covered.has(path)), ...above]);
}
