import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { hashFile, mapParallel } from '@plinth/host';
import { BOOT_FILES } from '../boot/boot-chain.ts';
import type { BuiltImage } from './build-image.ts';

/** What of two builds is not the same. */
export interface BuildDifference {
  /** The artefact or path in the tree. */
  readonly path: string;
  readonly state:
    | 'only in the first'
    | 'only in the second'
    | 'bytes differ'
    | 'mode differs'
    | 'link differs';
}

/** What of a build is compared; only paths, so that the second build can happen in another process. */
export interface ComparableBuild extends Pick<BuiltImage, 'root' | 'initrdPath' | 'bootDir' | 'diskPath'> {
  readonly tree: Pick<BuiltImage['tree'], 'root'>;
}

/** One artefact or path of a build: what must be equal in the other. */
type Facts = ReadonlyMap<string, { readonly content: string; readonly mode: number; readonly link: string }>;

/**
 * compareBuilds names everything in which two builds of the same inputs differ: artefacts bit by bit, and the files of the
 * trees, so that the cause of a differing image is named. Nothing is excused.
 */
export async function compareBuilds(
  first: ComparableBuild,
  second: ComparableBuild,
): Promise<BuildDifference[]> {
  const [a, b] = [await factsOf(first), await factsOf(second)];
  const differences: BuildDifference[] = [];
  for (const [path, one] of a) {
    const other = b.get(path);
    if (other === undefined) differences.push({ path, state: 'only in the first' });
    else if (one.link !== other.link) differences.push({ path, state: 'link differs' });
    else if (one.content !== other.content) differences.push({ path, state: 'bytes differ' });
    else if (one.mode !== other.mode) differences.push({ path, state: 'mode differs' });
  }
  for (const path of b.keys()) if (!a.has(path)) differences.push({ path, state: 'only in the second' });
  return differences;
}

async function factsOf(image: ComparableBuild): Promise<Facts> {
  const artefacts: [name: string, path: string][] = [
    ['root file system', image.root.imagePath],
    ['hash tree', image.root.hashTreePath],
    ['initrd', image.initrdPath],
    ['unsigned UKI', join(image.bootDir, BOOT_FILES.unsignedUki)],
    ['predicted PCRs', join(image.bootDir, BOOT_FILES.pcrs)],
    ['disk', image.diskPath],
  ];
  const hashed = artefacts.map(async ([name, path]) => {
    return [name, { content: (await hashFile(path)).sha256, mode: 0, link: '' }] as const;
  });
  const names = (await readdir(image.tree.root, { recursive: true })).sort();
  const files = await mapParallel(names, 4, async (name) => {
    const path = join(image.tree.root, name);
    const stats = await lstat(path);
    const content = stats.isFile() ? (await hashFile(path)).sha256 : '';
    const link = stats.isSymbolicLink() ? await readlink(path) : '';
    return [`/${name}`, { content, link, mode: stats.mode }] as const;
  });
  return new Map([...files, ...(await Promise.all(hashed))]);
}
