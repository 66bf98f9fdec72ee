import type { Progress } from '@plinth/base';
import { factsOf, type PolicyGate, passPolicy, policyInputs, readPolicy } from '../build/policy-gate.ts';
import { scanTree } from '../scan-tree.ts';

/**
 * gateLayer lets an assembled layer pass only when os/policy.yaml finds nothing in it, in the programs inside its images
 * included. Waivers are given to the image only: a layer has none.
 * @param layer its folder and key
 * @throws policy/violations with every finding; policy/invalid
 */
export async function gateLayer(
  layer: { readonly dir: string; readonly key: string; readonly packages: readonly string[] },
  gate: PolicyGate,
  progress: Progress,
): Promise<void> {
  const { text, policy: ofImage } = await readPolicy(gate.osDir);
  const policy = { ...ofImage, waivers: [] };
  const inputs = { ...(await policyInputs(text)), layer: layer.key };
  await gate.cache.stage('layer-policy', 'Check the image policy', inputs, progress, async (work) => {
    const scanned = await scanTree(layer.dir, new Map());
    const facts = await factsOf(scanned, policy, layer.packages, gate.toolbox);
    await passPolicy(scanned, policy, facts, gate.today, work);
  });
}
