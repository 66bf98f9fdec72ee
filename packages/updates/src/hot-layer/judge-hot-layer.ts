import { type ErrorCode, PlinthError } from '@plinth/base';
import { formatHotLayer, type HotLayer, hotLayerVersion } from './hot-layer.ts';

/** What a node tells of itself before it takes a hot layer. */
export interface HotLayerNode {
  /** What it runs. */
  readonly booted: { readonly name: string; readonly version: string; readonly rootHash: string };
  /** The highest serial that was ever proven over each base, by root hash. */
  readonly highestSerials: ReadonlyMap<string, number>;
  /** The layer that is merged or kept now. */
  readonly active?: HotLayer | undefined;
}

/**
 * judgeHotLayer decides whether a node may take a layer: made for exactly the image that runs, never older than one it had,
 * and with every fix of the layer it takes the place of. The same layer again is allowed: it was lost, or its activation
 * was cut short. Whether it is signed is the kernel's to say. Pure.
 * @throws hot-layer/wrong-base, hot-layer/older, hot-layer/not-cumulative
 */
export function judgeHotLayer(node: HotLayerNode, layer: HotLayer): void {
  const { booted, highestSerials, active } = node;
  const { base, serial } = layer;
  const version = hotLayerVersion(layer);
  if (base.name !== booted.name || base.version !== booted.version)
    throw refusal(
      'hot-layer/wrong-base',
      version,
      `it is for ${base.name} ${base.version}, expected one for ${booted.name} ${booted.version}`,
    );
  if (base.rootHash !== booted.rootHash)
    throw refusal(
      'hot-layer/wrong-base',
      version,
      `it is for another build of ${base.version}: ${base.rootHash}, expected ${booted.rootHash}`,
    );
  const highest = highestSerials.get(base.rootHash) ?? 0;
  if (serial < highest)
    throw refusal(
      'hot-layer/older',
      version,
      `the node has had serial ${highest}, expected that or a higher one`,
    );
  if (active?.base.rootHash !== base.rootHash) return;
  if (serial === active.serial && formatHotLayer(layer) !== formatHotLayer(active))
    throw refusal(
      'hot-layer/older',
      version,
      `it is another layer of serial ${serial}, expected a higher serial`,
    );
  const fixed = new Set(layer.fixes.map((fix) => fix.package));
  const lost = active.fixes.map((fix) => fix.package).filter((name) => !fixed.has(name));
  if (lost.length > 0)
    throw refusal(
      'hot-layer/not-cumulative',
      version,
      `it has no fix of ${lost.slice(0, 5).join(', ')}, expected all of ${hotLayerVersion(active)}, which it would replace`,
    );
}

function refusal(code: ErrorCode, version: string, state: string): PlinthError {
  return new PlinthError(code, `Cannot use the hot layer ${version}: ${state}`);
}
