import { join } from 'node:path';
import { PlinthError, type Progress, silentProgress } from '@plinth/base';
import { fetchPackages, findMirrors, type Lock, type Mirrors } from '@plinth/debian';
import { openStageCache, type StageCache } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import type { Signer } from '@plinth/trust';
import { SELINUX_PACKAGE, selinuxStage } from '../build/selinux-stage.ts';
import { unpackPackages } from '../build/unpack-packages.ts';
import type { GoComponentSource } from '../go/provide-go-components.ts';
import { loadOsSpec } from '../spec/os-spec.ts';
import { type BuiltLayer, buildKubernetesLayer } from './build-kubernetes-layer.ts';
import { componentsOf, loadLayerSpec } from './layer-spec.ts';

export interface BuildKubernetesOptions {
  readonly osDir: string;
  /** The lock of the image: its date is that of the layers, its SELinux policy labels them. */
  readonly lock: Lock;
  /** The lock of os/kubernetes.yaml. */
  readonly layerLock: Lock;
  /** Which versions; default all of os/kubernetes/layer.yaml. */
  readonly minors?: readonly string[] | undefined;
  /** Compiles what the layers are made of. */
  readonly compile: GoComponentSource;
  readonly toolbox: Toolbox;
  /** Signs the root hashes: the key the image's own root is signed with. */
  readonly key: Signer;
  readonly mirrors?: Mirrors;
  readonly cache?: StageCache;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/**
 * buildKubernetes makes the system extensions of the wanted Kubernetes versions, from Go modules to signed image.
 * What has not changed since the last time is taken from the cache.
 * @returns the layers by minor
 * @throws go/…, debian/…, image/…, policy/violations, host/disk-full
 */
export async function buildKubernetes(options: BuildKubernetesOptions): Promise<Map<string, BuiltLayer>> {
  const { osDir, lock, toolbox, key, progress = silentProgress } = options;
  const cache = options.cache ?? openStageCache();
  const layer = await loadLayerSpec(join(osDir, 'kubernetes/layer.yaml'));
  const minors = options.minors ?? layer.minors;
  for (const minor of minors) requireListed(minor, layer.minors);
  const { os } = await loadOsSpec(osDir);
  const { packages, fileContextsDir } = await preparePackages(options, cache, progress);

  const names = minors.flatMap((minor) => componentsOf(layer, minor));
  const components = await options.compile(names, progress);
  const layers = new Map<string, BuiltLayer>();
  for (const minor of minors) {
    const built = await progress.step(`Make the layer of Kubernetes ${minor}`, (step) =>
      buildKubernetesLayer({
        ...{ osDir, os, minor, components, packages, fileContextsDir, key, toolbox, cache },
        locked: options.layerLock.packages,
        epochSeconds: Math.floor(Date.parse(lock.created) / 1000),
        progress: step,
      }),
    );
    layers.set(minor, built);
  }
  return layers;
}

function requireListed(minor: string, listed: readonly string[]): void {
  if (listed.includes(minor)) return;
  throw new PlinthError(
    'image/spec-invalid',
    `Cannot build Kubernetes ${minor}: it is not in os/kubernetes/layer.yaml, expected ${listed.join(' or ')}`,
  );
}

/** The Debian packages of the layer, and the SELinux labels of the image. */
async function preparePackages(
  { lock, layerLock, toolbox, signal, ...options }: BuildKubernetesOptions,
  cache: StageCache,
  progress: Progress,
) {
  const wanted = [...layerLock.packages, ...lock.packages.filter(({ name }) => name === SELINUX_PACKAGE)];
  const mirrors = options.mirrors ?? (await findMirrors());
  const debs = await fetchPackages(wanted, { mirrors, progress, ...(signal && { signal }) });
  const dirs = await unpackPackages(wanted, debs, cache, progress, signal);
  const selinux = await selinuxStage(
    dirs.get(SELINUX_PACKAGE) ?? '',
    { osDir: options.osDir, toolbox, cache },
    progress,
  );
  const packages = layerLock.packages.map(
    ({ name, version }) => [name, { dir: dirs.get(name) ?? '', version }] as const,
  );
  return {
    packages: new Map(packages),
    fileContextsDir: join(selinux, 'default/contexts/files'),
  };
}
