import { PlinthError } from '@plinth/base';
import { type HotLayer, hotLayerVersion } from '@plinth/updates';
import type { NodeConsole } from '../console.ts';
import { type HotLayerState, layerOf } from './hot-layer-state.ts';
import type { HotLayers } from './open-hot-layers.ts';

/** Nothing is wrong, there is only nothing to take. */
const NOTHING_NEW: readonly string[] = ['hot-layer/none-published', 'hot-layer/not-new', 'hot-layer/busy'];

/**
 * takePublished brings the newest published layer about without being told, as `plinth hot-layer` would: what is kept or failed here is
 * left alone, so a layer that was taken back is taken again only when it is named, and a retired one only as a higher serial.
 * @returns the serial that is on trial now; undefined when there was nothing to take
 * @throws hot-layer/…, update/…
 */
export async function takePublished(
  layers: Pick<HotLayers, 'fetch' | 'activate'>,
  console: Pick<NodeConsole, 'say'>,
): Promise<number | undefined> {
  try {
    const layer = layerOf(await layers.fetch(requireNew));
    console.say(`hot layer: takes ${hotLayerVersion(layer)} by the update policy`);
    await layers.activate(layer.serial);
    return layer.serial;
  } catch (reason) {
    if (reason instanceof PlinthError && NOTHING_NEW.includes(reason.code)) return undefined;
    throw reason;
  }
}

/** requireNew refuses what the node has had, of this base, and what failed on it. Pure. @throws hot-layer/not-new */
export function requireNew({ highest, failure }: HotLayerState, layer: HotLayer): void {
  const { serial, base } = layer;
  const had = highest.find(({ rootHash }) => rootHash === base.rootHash)?.serial ?? 0;
  const state =
    serial <= had
      ? `the node has had serial ${had}`
      : failure?.serial === serial && failure.rootHash === base.rootHash
        ? 'it failed here'
        : undefined;
  if (state === undefined) return;
  throw new PlinthError(
    'hot-layer/not-new',
    `Cannot take the hot layer ${hotLayerVersion(layer)} without being told: ${state}, expected a newer one`,
  );
}
