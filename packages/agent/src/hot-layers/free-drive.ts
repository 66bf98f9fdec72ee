import { chooseLayer, type LayerSwitch } from '../kubernetes/layers/choose-layer.ts';
import { copyLayer } from '../kubernetes/layers/copy-layer.ts';
import { chosenLayer, listLayers } from '../kubernetes/layers/layer-store.ts';

/**
 * freeDrive has the Kubernetes layer merged from a copy of its drive from now on: all layers are merged together, and a drive
 * whose layer is merged already cannot be read again, as the device over it holds it (ADR 0015). A file gets a device of its
 * own each time. Gives false where no drive is chosen. @throws kubernetes/layer-invalid, kubernetes/space
 */
export async function freeDrive(parts: LayerSwitch): Promise<boolean> {
  const chosen = await chosenLayer();
  if (chosen?.source !== 'drive') return false;
  const layer = (await listLayers(parts.sys)).find(({ path }) => path === chosen.path);
  if (!layer) return false;
  await chooseLayer(parts, await copyLayer(parts.sys, layer));
  return true;
}
