import { readdir, readlink, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseKeyValues } from '../../kernel/key-values.ts';
import { isMissing, listDir, readText, type Sys } from '../../sys/sys.ts';
import { compareKubernetesVersions } from '../kubernetes-version.ts';
import { EXTENSION_RELEASE, EXTENSIONS, STAGED_LAYERS } from '../paths.ts';

/** A Kubernetes layer the node has. */
export interface Layer {
  readonly version: string;
  readonly source: 'drive' | 'staged';
  /** The device or file. */
  readonly path: string;
  readonly active: boolean;
  readonly sizeBytes: number;
}

/** A device is taken by its link, a file by its name (systemd-sysext(8)). */
export const LINKS = { drive: 'kubernetes', staged: 'kubernetes.raw' } as const;

/** What the node merges at boot: the link's name and where it leads; undefined for no layer. */
export type ChosenLayer = Pick<Layer, 'source' | 'path'> | undefined;

/** Drives that hold a layer carry its name as their serial number. */
const DRIVES = '/dev/disk/by-id';
const DRIVE = /^virtio-kubernetes-(\d+\.\d+\.\d+)$/;
const STAGED = /^kubernetes-(\d+\.\d+\.\d+)\.raw$/;

/** Where layers are looked for; tests use their own folders. */
export interface LayerPlaces {
  readonly drives: string;
  readonly staged: string;
  /** Folder of the link to the chosen one. */
  readonly chosen?: string;
}

const PLACES: LayerPlaces = { drives: DRIVES, staged: STAGED_LAYERS };

/** stagedPath is where a layer that was sent to the node lies. */
export function stagedPath(version: string, folder: string = STAGED_LAYERS): string {
  return join(folder, `kubernetes-${version}.raw`);
}

/** listLayers gives the layers of the node, newest first; of one version the staged one comes first. */
export async function listLayers(sys: Sys, places: LayerPlaces = PLACES): Promise<Layer[]> {
  const active = await activeVersion(sys);
  const chosen = await chosenLayer(places.chosen);
  const drives = (await names(places.drives)).flatMap((name) => found(name, DRIVE, places.drives, 'drive'));
  const staged = (await names(places.staged)).flatMap((name) => found(name, STAGED, places.staged, 'staged'));
  const layers = await Promise.all(
    [...staged, ...drives].map(async (layer) => ({
      ...layer,
      // A version may be there twice: on a drive, and as the copy that was merged because the drive was held.
      active: layer.version === active && (chosen?.source ?? layer.source) === layer.source,
      sizeBytes: await sizeOf(sys, layer.path),
    })),
  );
  return layers.sort((a, b) => compareKubernetesVersions(b.version, a.version));
}

/** chosenLayer reads which layer the node merges at boot. */
export async function chosenLayer(extensions: string = EXTENSIONS): Promise<ChosenLayer> {
  for (const source of ['staged', 'drive'] as const) {
    try {
      return { source, path: await readlink(join(extensions, LINKS[source])) };
    } catch (reason) {
      if (!isMissing(reason)) throw reason;
    }
  }
  return undefined;
}

/** activeVersion is the Kubernetes version that is merged into /usr; undefined for none. */
export async function activeVersion(sys: Pick<Sys, 'readFile'>): Promise<string | undefined> {
  const release = await readText(sys, EXTENSION_RELEASE);
  return release === undefined ? undefined : parseKeyValues(release).get('IMAGE_VERSION');
}

async function names(folder: string): Promise<readonly string[]> {
  return listDir({ readDir: (path) => readdir(path) }, folder);
}

function found(name: string, pattern: RegExp, folder: string, source: Layer['source']) {
  const version = pattern.exec(name)?.[1];
  return version === undefined ? [] : [{ version, source, path: join(folder, name) }];
}

/** A block device tells its size in sectors of 512 bytes, whatever its own are. */
async function sizeOf(sys: Sys, path: string): Promise<number> {
  try {
    const info = await stat(path);
    if (!info.isBlockDevice()) return info.size;
    const sectors = await readText(sys, `/sys/class/block/${basename(await realpath(path))}/size`);
    return Number(sectors ?? 0) * 512;
  } catch (reason) {
    if (isMissing(reason)) return 0; // pulled out since it was listed
    throw reason;
  }
}
