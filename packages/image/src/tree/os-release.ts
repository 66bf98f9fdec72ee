import type { TreeSpec } from '../spec/os-spec.ts';

/**
 * renderOsRelease writes the identity of the image, complete for systemd, the kubelet and scanners.
 * @param startSetup what lays out its root, see startSetup; "" where that is not asked for
 * Source: os-release(5); UAPI.4 for the extension levels.
 */
export function renderOsRelease(spec: TreeSpec, startSetup = ''): string {
  const fields: Record<string, string> = {
    ID: spec.name,
    ID_LIKE: 'debian',
    NAME: spec.prettyName,
    PRETTY_NAME: `${spec.prettyName} ${spec.version}`,
    VERSION: spec.version,
    VERSION_ID: spec.version,
    IMAGE_ID: spec.name,
    IMAGE_VERSION: spec.version,
    VARIANT_ID: `node-${spec.kernel.flavour}`,
    ARCHITECTURE: 'x86-64',
    SYSEXT_LEVEL: spec.extensions.level,
    CONFEXT_LEVEL: spec.extensions.level,
    // Ours: what plinthd compares a layer with before it changes anything.
    PLINTH_KUBERNETES: spec.extensions.kubernetes.join(' '),
    // Ours too: the level of os/ipe.
    PLINTH_EXECUTE: spec.execute,
    // Ours too: a soft-reboot leads only between versions that have the same.
    ...(startSetup !== '' && { PLINTH_START_SETUP: startSetup }),
    SUPPORT_END: spec.supportEnd,
    HOME_URL: spec.homepage,
    VENDOR_NAME: spec.prettyName,
    CPE_NAME: `cpe:2.3:o:${spec.name}:${spec.name}:${spec.version}:*:*:*:*:*:*:*`,
  };
  return `${Object.entries(fields)
    .map(([key, value]) => `${key}=${/^[A-Za-z0-9._-]+$/.test(value) ? value : JSON.stringify(value)}`)
    .join('\n')}\n`;
}
