import { HOT_LAYER, type HotLayer, hotLayerVersion } from '@plinth/updates';

/**
 * renderHotExtensionRelease binds a hot layer to its base in the words of systemd: without a SYSEXT_LEVEL the VERSION_ID
 * must be that of the image, or systemd-sysext leaves the layer out, also at a boot where nobody else looks
 * (os-release(5), "extension-release"). The exact build is in PLINTH_BASE_ROOT_HASH; plinthd compares it.
 */
export function renderHotExtensionRelease(layer: HotLayer): string {
  const { base, architecture } = layer;
  return [
    `ID=${base.name}`,
    `VERSION_ID=${base.version}`,
    `ARCHITECTURE=${architecture}`,
    'SYSEXT_SCOPE=system',
    `IMAGE_ID=${HOT_LAYER}`,
    `IMAGE_VERSION=${hotLayerVersion(layer)}`,
    `PLINTH_BASE_ROOT_HASH=${base.rootHash}`,
    '',
  ].join('\n');
}
