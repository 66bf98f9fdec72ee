import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Progress } from '@plinth/base';
import { hashText, type StageCache } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import { digestFolder } from '../build/digest-folder.ts';
import { compareText } from '../compare-text.ts';
import { checkPolicy } from '../policy/check-policy.ts';
import type { TreeFacts } from '../policy/facts.ts';
import { gatherFacts } from '../policy/gather-facts.ts';
import { parsePolicy } from '../policy/policy.ts';
import { readCapabilities } from '../policy/read-capabilities.ts';
import { requirePolicy } from '../policy/require-policy.ts';
import { scanTree } from '../scan-tree.ts';
import type { BuiltTree } from '../types.ts';

const RULES_SOURCE = join(import.meta.dirname, '..', 'policy');

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
  gate: {
    readonly osDir: string;
    readonly toolbox: Toolbox;
    readonly cache: StageCache;
    readonly today: string;
  },
  progress: Progress,
): Promise<void> {
  const path = join(gate.osDir, 'policy.yaml');
  const text = await readFile(path, 'utf8');
  const policy = parsePolicy(text, path);
  const inputs = {
    ...{ rules: await digestFolder(RULES_SOURCE), policy: hashText(text) },
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
        const facts = await gatherFacts(tree, policy, {
          packages: base.packages,
          readCapabilities: (folder) => readCapabilities(gate.toolbox, folder),
        });
        return { tree, facts };
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
      const report = checkPolicy(merged, policy, facts, gate.today);
      requirePolicy(report);
      await writeFile(join(work, 'report.json'), JSON.stringify(report));
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
