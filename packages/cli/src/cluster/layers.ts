import { PlinthError } from '@plinth/base';
import type { BuiltLayer } from '@plinth/image';
import type { ExtraDrive } from '@plinth/local';
import { compareVersions } from './plan-upgrade.ts';

/** A Kubernetes layer that lies on this computer. */
export interface LayerFile {
  /** "1.37.1" */
  readonly version: string;
  readonly path: string;
}

/** layerFiles are the built layers, oldest first. */
export function layerFiles(built: ReadonlyMap<string, BuiltLayer>): LayerFile[] {
  return [...built.values()]
    .map(({ manifest, path }) => ({ version: manifest.kubernetes, path }))
    .sort((a, b) => compareVersions(a.version, b.version));
}

/**
 * pickVersion finds the version that is meant: "1.37.1", or "1.37" for the layer of that minor; undefined for the newest.
 * @throws cluster/no-layer
 */
export function pickVersion(versions: readonly string[], wanted: string | undefined): string {
  const sorted = [...versions].sort(compareVersions);
  const found = sorted.findLast(
    (version) => wanted === undefined || version === wanted || version.startsWith(`${wanted}.`),
  );
  if (found !== undefined) return found;
  throw new PlinthError(
    'cluster/no-layer',
    `Cannot use Kubernetes ${wanted ?? ''}: there is no layer of it, expected ${sorted.join(' or ') || 'one'}`,
  );
}

/** layerDrives are the layers as read-only drives, which a node finds by the serial numbers. */
export function layerDrives(layers: readonly LayerFile[]): ExtraDrive[] {
  return layers.map(({ version, path }) => ({
    path,
    format: 'raw',
    readOnly: true,
    serial: `kubernetes-${version}`,
  }));
}
