import { PlinthError } from '@plinth/base';
import type { BlockReader } from '../block-reader.ts';
import { FAT_FREE, type FatEntry, fatInvalid, openFat } from './fat-volume.ts';

/** One sector of a volume with its new content. */
export interface SectorWrite {
  readonly offsetBytes: number;
  readonly bytes: Uint8Array;
}

/**
 * planDropName takes one of two names of a file away, and leaves its clusters to the other: what a power cut in the middle of a rename
 * makes necessary. Removing the name in the usual way would free the clusters, and whatever is written next would spoil the file. The
 * file system must not be mounted. Writes are in order; after the first one the name is gone, the others tidy up after a long name.
 * Empty: the name is gone already.
 * @param folder names of folders from the top, ["EFI", "Linux"]; names are compared as FAT does, without regard to case
 * @throws formats/fat-invalid when the two names do not have the same content
 */
export async function planDropName(
  reader: BlockReader,
  {
    folder,
    name,
    keeps,
  }: { readonly folder: readonly string[]; readonly name: string; readonly keeps: string },
): Promise<SectorWrite[]> {
  const volume = await openFat(reader);
  let entries = await volume.list();
  for (const part of folder) {
    const found = findName(entries, part);
    if (!found?.isFolder) throw fatInvalid(`no folder ${folder.join('/')}`, 'it to be there');
    entries = await volume.list(found);
  }
  const [dropped, kept] = [findName(entries, name), findName(entries, keeps)];
  if (!dropped) return [];
  const same = kept && kept !== dropped && kept.firstCluster === dropped.firstCluster && !dropped.isFolder;
  if (!same || dropped.firstCluster === 0 || kept.sizeBytes !== dropped.sizeBytes) {
    const state = kept ? 'they do not have the same clusters' : `there is no ${keeps}`;
    throw new PlinthError(
      'formats/fat-invalid',
      `Cannot drop the name ${name} beside ${keeps}: ${state}, expected one file`,
    );
  }
  // The record of the entry itself first: what is left of a long name without one is passed over by all who read FAT.
  const records = dropped.records.toReversed();
  const sectors = new Map<number, Uint8Array>();
  for (const record of records) {
    const offset = record - (record % volume.sectorBytes);
    const bytes =
      sectors.get(offset) ?? new Uint8Array(await reader.read(offset, volume.sectorBytes)).slice();
    bytes[record - offset] = FAT_FREE;
    sectors.set(offset, bytes);
  }
  return [...sectors].map(([offsetBytes, bytes]) => ({ offsetBytes, bytes }));
}

function findName(entries: readonly FatEntry[], name: string): FatEntry | undefined {
  return entries.find((entry) => entry.name.toLowerCase() === name.toLowerCase());
}
