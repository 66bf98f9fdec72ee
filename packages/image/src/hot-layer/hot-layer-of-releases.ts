import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PlinthError, type Progress, silentProgress } from '@plinth/base';
import { openStageCache, type StageCache } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import type { Manifest } from '@plinth/updates';
import { readFacts, readManifest } from '../release/read-release.ts';
import { type BuildHotLayerOptions, type BuiltHotLayer, buildHotLayer } from './build-hot-layer.ts';

export interface HotLayerOfReleasesOptions
  extends Omit<BuildHotLayerOptions, 'base' | 'next' | 'epochSeconds'> {
  /** Folder of the release that nodes run. */
  readonly baseFolder: string;
  /** Folder of the newer release, of the same packages and those that are mended. */
  readonly nextFolder: string;
}

/**
 * hotLayerOfReleases builds the hot layer of what differs between two release folders. The layer's files are taken from
 * the newer release's own root, so the next image contains the fix by construction.
 * @throws release/…, hot-layer/…, policy/violations, image/too-large, host/disk-full
 */
export async function hotLayerOfReleases(options: HotLayerOfReleasesOptions): Promise<BuiltHotLayer> {
  const { baseFolder, nextFolder, toolbox, progress = silentProgress } = options;
  const cache = options.cache ?? openStageCache();
  const [baseManifest, nextManifest] = await Promise.all([
    readManifest(baseFolder),
    readManifest(nextFolder),
  ]);
  const [base, next] = await Promise.all([readFacts(baseFolder), readFacts(nextFolder)]);
  const unpack = (folder: string, manifest: Manifest) =>
    unpackRoot(folder, manifest, { toolbox, cache, progress });
  const [baseTree, nextTree] = [
    await unpack(baseFolder, baseManifest),
    await unpack(nextFolder, nextManifest),
  ];
  return buildHotLayer({
    ...options,
    cache,
    base: { ...base, name: baseManifest.name, rootHash: baseManifest.rootHash, treeDir: baseTree },
    next: { ...next, treeDir: nextTree },
    epochSeconds: Math.floor(Date.parse(nextManifest.created) / 1000),
  });
}

/** The tree of a release, from the very bytes its nodes boot. */
async function unpackRoot(
  folder: string,
  manifest: Manifest,
  {
    toolbox,
    cache,
    progress,
  }: { readonly toolbox: Toolbox; readonly cache: StageCache; readonly progress: Progress },
): Promise<string> {
  const root = manifest.partitions.find(({ type, artefact }) => type === 'root-x86-64' && artefact)?.artefact;
  if (!root)
    throw new PlinthError(
      'release/incomplete',
      `Cannot read the root of ${folder}: its manifest names no file for it, expected the release as built`,
    );
  const unpacked = await cache.stage(
    'unpacked-root',
    `Unpack the root of ${manifest.version}`,
    { rootHash: manifest.rootHash, toolbox: toolbox.key },
    progress,
    async (work) => {
      await mkdir(join(work, 'root'));
      await toolbox.run('fsck.erofs', ['--extract=/mnt/out/root', '--overwrite', `/mnt/in/${root.name}`], {
        binds: [
          { host: resolve(folder), inside: '/mnt/in', readOnly: true },
          { host: work, inside: '/mnt/out' },
        ],
      });
    },
  );
  return join(unpacked, 'root');
}
