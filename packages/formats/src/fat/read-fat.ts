import type { BlockReader } from '../block-reader.ts';
import { type FatEntry, type FatVolume, fatInvalid, openFat } from './fat-volume.ts';

/** The files of a FAT file system. Paths are "EFI/BOOT/BOOTX64.EFI", as they were written. */
export interface FatFiles {
  readonly paths: readonly string[];
  /** @throws formats/fat-invalid when there is no such file */
  read(path: string): Promise<Uint8Array>;
}

const DEPTH_LIMIT = 16;
const FILE_LIMIT = 10_000;

/**
 * readFat reads all folders of a FAT file system; for the EFI system partition, without mounting it.
 * @throws formats/fat-invalid
 */
export async function readFat(reader: BlockReader): Promise<FatFiles> {
  const volume = await openFat(reader);
  const files = new Map<string, FatEntry>();
  await walk(volume, undefined, '', files, 0);
  return {
    paths: [...files.keys()].sort(),
    read: async (path) => {
      const file = files.get(path);
      if (!file) throw fatInvalid(`no file ${path}`, 'it to be there');
      return volume.read(file);
    },
  };
}

async function walk(
  volume: FatVolume,
  folder: FatEntry | undefined,
  prefix: string,
  files: Map<string, FatEntry>,
  depth: number,
): Promise<void> {
  if (depth > DEPTH_LIMIT || files.size > FILE_LIMIT) throw fatInvalid('too many folders or files', 'an ESP');
  for (const entry of await volume.list(folder)) {
    if (entry.isFolder) await walk(volume, entry, `${prefix}${entry.name}/`, files, depth + 1);
    else files.set(prefix + entry.name, entry);
  }
}
