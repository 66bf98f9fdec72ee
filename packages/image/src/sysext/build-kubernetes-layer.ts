import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PlinthError, type Progress, silentProgress } from '@plinth/base';
import type { LockedPackage } from '@plinth/debian';
import { EROFS_LAYOUT } from '@plinth/formats';
import { openStageCache, type StageCache } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import type { Signer } from '@plinth/trust';
import { digestFolder } from '../build/digest-folder.ts';
import type { BuiltGoComponent } from '../go/build-go-component.ts';
import { addVerity, makeRootFilesystem, type RootImage } from '../root/make-root.ts';
import type { OsSpec } from '../spec/os-spec.ts';
import { renderOsRelease } from '../tree/os-release.ts';
import { assembleLayer, type LayerManifest, releaseFile } from './assemble-layer.ts';
import { gateLayer } from './gate-layer.ts';
import { layerPapersName, writeLayerPapers } from './layer-papers.ts';
import { componentsOf, loadLayerSpec } from './layer-spec.ts';
import { extensionFileName, makeExtension } from './make-extension.ts';
import { relaxName } from './relax-name.ts';

export interface BuildLayerOptions {
  readonly osDir: string;
  /** The image the layer is for. */
  readonly os: OsSpec;
  /** "1.37", one of os/kubernetes/layer.yaml. */
  readonly minor: string;
  /** Everything built from go/ that the layer names; more does no harm. */
  readonly components: ReadonlyMap<string, BuiltGoComponent>;
  /** Unpacked packages of os/kubernetes.lock.json, by name. */
  readonly packages: ReadonlyMap<string, { readonly dir: string; readonly version: string }>;
  /** The same as they are locked, for the SBOM. */
  readonly locked: readonly LockedPackage[];
  /** Folder with the image's SELinux file contexts: files in the layer get the labels they would have in the image. */
  readonly fileContextsDir: string;
  /** Signs the root hash; the key the image's own root is signed with. */
  readonly key: Signer;
  readonly toolbox: Toolbox;
  readonly epochSeconds: number;
  readonly cache?: StageCache;
  readonly progress?: Progress;
}

export interface BuiltLayer {
  /** The signed system extension. */
  readonly path: string;
  /** What it is made of, by its root hash; the SBOM is beside it. */
  readonly papersPath: string;
  readonly rootHash: string;
  readonly sizeBytes: number;
  readonly manifest: LayerManifest;
}

const SOURCE = join(import.meta.dirname, '..');
/** No slot bounds a layer: it is a file on /var. This bounds a mistake. */
const LIMITS = { rootSizeBytes: 512 * 2 ** 20, veritySizeBytes: 8 * 2 ** 20 };

/**
 * buildKubernetesLayer makes the system extension of one Kubernetes version: assemble, policy, file system with hash
 * tree, signature. The same inputs always give the same bytes.
 * @throws image/spec-invalid, policy/violations, image/too-large, host/disk-full
 */
export async function buildKubernetesLayer(options: BuildLayerOptions): Promise<BuiltLayer> {
  const { osDir, os, minor, toolbox, key, epochSeconds, progress = silentProgress } = options;
  const cache = options.cache ?? openStageCache();
  const spec = await loadLayerSpec(join(osDir, 'kubernetes/layer.yaml'));
  const components = pickComponents(options, componentsOf(spec, minor));
  const version = components.get(`kubernetes-${minor}`)?.component.version ?? minor;
  const treeDir = join(osDir, 'kubernetes/tree');
  const osRelease = renderOsRelease(os);
  const builder = await digestFolder(join(SOURCE, 'sysext'));

  const dir = await cache.stage(
    'kubernetes-layer',
    `Assemble Kubernetes ${version}`,
    {
      builder,
      oci: await digestFolder(join(SOURCE, 'oci')),
      spec,
      minor,
      tree: await digestFolder(treeDir),
      components: [...components.values()].map((component) => component.key),
      packages: [...options.packages].map(([name, { dir: folder }]) => [name, basename(folder)]),
      osRelease,
      epochSeconds,
    },
    progress,
    async (work) => {
      const inputs = { ...options, spec, version, treeDir, components, osRelease };
      const manifest = await assembleLayer(inputs, work);
      await relaxName(toolbox, join(work, 'root', releaseFile(spec.name)));
      await writeFile(join(work, 'manifest.json'), JSON.stringify(manifest));
    },
  );
  const layer = { dir, key: basename(dir), packages: [...components.keys(), ...options.packages.keys()] };
  const today = new Date().toISOString().slice(0, 10);
  await gateLayer(layer, { osDir, toolbox, cache, today }, progress);

  // Not of the version, as for the root.
  const seed = spec.name;
  const { fileContextsDir } = options;
  const filesystem = await cache.stage(
    'kubernetes-root',
    'Pack the layer and its hash tree',
    {
      builder: await digestFolder(join(SOURCE, 'root')),
      layout: EROFS_LAYOUT,
      toolbox: toolbox.key,
      layer: layer.key,
      contexts: await digestFolder(fileContextsDir),
      seed,
      epochSeconds,
    },
    progress,
    async (work) => {
      await makeRootFilesystem(join(dir, 'root'), work, { toolbox, epochSeconds, seed, fileContextsDir });
      const { rootHash, sizeBytes } = await addVerity(work, { seed, slots: LIMITS });
      await writeFile(join(work, 'root.json'), JSON.stringify({ rootHash, sizeBytes }));
    },
  );
  const root = await readRoot(filesystem);
  const extension = await cache.stage(
    'kubernetes-extension',
    'Sign the layer',
    { builder, toolbox: toolbox.key, root: basename(filesystem), key: key.keyId, epochSeconds },
    progress,
    async (work) => {
      await makeExtension({ name: spec.name, version, root, key, toolbox, epochSeconds }, work);
    },
  );
  const papers = await cache.stage(
    'kubernetes-papers',
    'Describe the layer',
    {
      builder,
      bill: await digestFolder(join(SOURCE, 'release', 'sbom')),
      layer: layer.key,
      rootHash: root.rootHash,
      locked: options.locked.map(({ name, version: at, sha256 }) => [name, at, sha256]),
      epochSeconds,
    },
    progress,
    async (work) => {
      const { locked: packages } = options;
      const treeDir = join(dir, 'root');
      const { rootHash } = root;
      const inputs = { spec, minor, version, rootHash, epochSeconds, treeDir, components, packages };
      await writeLayerPapers(inputs, work);
    },
  );
  return {
    papersPath: join(papers, layerPapersName(spec.name, version)),
    path: join(extension, extensionFileName(spec.name, version)),
    rootHash: root.rootHash,
    sizeBytes: root.sizeBytes,
    manifest: JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8')) as LayerManifest,
  };
}

async function readRoot(folder: string): Promise<RootImage> {
  const facts = JSON.parse(await readFile(join(folder, 'root.json'), 'utf8')) as Omit<RootImage, 'imagePath'>;
  return { ...facts, imagePath: join(folder, 'root.erofs'), hashTreePath: join(folder, 'root.verity') };
}

function pickComponents(
  { components, minor }: BuildLayerOptions,
  names: readonly string[],
): Map<string, BuiltGoComponent> {
  const picked = names.map((name) => {
    const component = components.get(name);
    if (component) return [name, component] as const;
    throw new PlinthError(
      'image/spec-invalid',
      `Cannot assemble Kubernetes ${minor}: ${name} was not built, expected a component of go/components.yaml`,
    );
  });
  return new Map(picked);
}
