import { basename, join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { hashFile } from '@plinth/host';
import {
  type HotLayer,
  hotLayerManifestOf,
  hotLayerNames,
  MANIFEST_LIMIT_BYTES,
  parseHotLayer,
  REPOSITORY,
} from '@plinth/updates';
import {
  changeRepository,
  type RepositoryOptions,
  type RepositoryOutcome,
  requireUnchanged,
} from '../repository/change-repository.ts';
import { placeFile } from '../repository/place-file.ts';
import type { TargetList } from '../repository/plan-renewal.ts';
import { readLimited } from '../repository/read-limited.ts';

export interface PublishHotLayerOptions extends RepositoryOptions {
  /** File of the image; its manifest lies beside it, both under the names they were built with. */
  readonly imagePath: string;
}

export interface PublishedHotLayer extends RepositoryOutcome {
  readonly layer: HotLayer;
  readonly files: readonly { readonly name: string; readonly sizeBytes: number; readonly isNew: boolean }[];
}

/**
 * publishHotLayer puts a hot layer into a repository: two targets under names that say base and serial. Nodes of that base take
 * the highest serial. Doing it twice is no change; what is published under a name stays.
 * @throws publish/…, hot-layer/invalid, trust/…, host/…
 */
export async function publishHotLayer(options: PublishHotLayerOptions): Promise<PublishedHotLayer> {
  const { repoDir, imagePath } = options;
  const manifestPath = hotLayerManifestOf(imagePath);
  const manifest = await readLimited(manifestPath, MANIFEST_LIMIT_BYTES, 'hot-layer/invalid');
  if (!manifest)
    throw new PlinthError(
      'hot-layer/invalid',
      `Cannot publish ${basename(imagePath)}: ${manifestPath} is not there, expected its manifest beside it`,
    );
  const layer = parseHotLayer(manifest.toString('utf8'), basename(manifestPath));
  const names = hotLayerNames(layer);
  if (basename(imagePath) !== names.image)
    throw new PlinthError(
      'hot-layer/invalid',
      `Cannot publish ${basename(imagePath)}: its manifest is of ${names.image}, expected the names it was built with`,
    );
  const sources = [
    { name: names.image, path: imagePath },
    { name: names.manifest, path: manifestPath },
  ];
  const files = await Promise.all(
    sources.map(async (source) => ({ ...source, ...(await hashFile(source.path)) })),
  );
  const list: TargetList = Object.fromEntries(
    files.map(({ name, sizeBytes, sha256 }) => [name, { sizeBytes, sha256 }]),
  );
  const placed = new Set<string>();
  const outcome = await changeRepository(options, async ({ targets }) => {
    // Before a byte is written: a file that is there under this name is never replaced.
    requireUnchanged(targets, list);
    for (const { name, path, sha256 } of files)
      if (await placeFile(path, join(repoDir, REPOSITORY.targets, name), sha256)) placed.add(name);
    return { files: list };
  });
  return {
    ...outcome,
    layer,
    files: files.map(({ name, sizeBytes }) => ({ name, sizeBytes, isNew: placed.has(name) })),
  };
}
