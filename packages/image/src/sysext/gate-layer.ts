import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Progress } from '@plinth/base';
import { hashText, type StageCache } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import { digestFolder } from '../build/digest-folder.ts';
import { checkPolicy } from '../policy/check-policy.ts';
import { gatherFacts } from '../policy/gather-facts.ts';
import { parsePolicy } from '../policy/policy.ts';
import { readCapabilities } from '../policy/read-capabilities.ts';
import { requirePolicy } from '../policy/require-policy.ts';
import { scanTree } from '../scan-tree.ts';

const RULES_SOURCE = join(import.meta.dirname, '..', 'policy');

/**
 * gateLayer lets an assembled layer pass only when os/policy.yaml finds nothing in it, in the programs inside its images
 * included. Waivers are given to the image only: a layer has none.
 * @param layer its folder and key
 * @throws policy/violations with every finding; policy/invalid
 */
export async function gateLayer(
  layer: { readonly dir: string; readonly key: string; readonly packages: readonly string[] },
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
  const policy = { ...parsePolicy(text, path), waivers: [] };
  const inputs = { rules: await digestFolder(RULES_SOURCE), policy: hashText(text), layer: layer.key };
  await gate.cache.stage('layer-policy', 'Check the image policy', inputs, progress, async (work) => {
    const scanned = await scanTree(layer.dir, new Map());
    const facts = await gatherFacts(scanned, policy, {
      packages: layer.packages,
      readCapabilities: (rootDir) => readCapabilities(gate.toolbox, rootDir),
    });
    const report = checkPolicy(scanned, policy, facts, gate.today);
    requirePolicy(report);
    await writeFile(join(work, 'report.json'), JSON.stringify(report));
  });
}
