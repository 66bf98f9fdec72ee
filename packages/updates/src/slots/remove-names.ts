import { stagedEntryName } from './boot-entry-name.ts';
import type { DiskStep, SlotDisk } from './slot-disk.ts';
import { entriesOf } from './versions.ts';

/**
 * settleNames gives a version's UKI one name: a rename that a power cut ended leaves two for the same clusters. The one that is
 * kept is the boot entry that says most: proven, or with the least tries left.
 */
export function settleNames(disk: SlotDisk, version: string): DiskStep[] {
  const [kept, ...others] = entriesOf(disk, version);
  if (!kept) return [];
  const extra = others.map(({ file }) => file);
  if (disk.staged?.version === version) extra.push(stagedEntryName(version));
  return extra.map((file) => ({ do: 'drop-name', file, keeps: kept.file }));
}

/** removeVersion takes all boot entries of a version away, broken ones too. */
export function removeVersion(disk: SlotDisk, version: string): DiskStep[] {
  const [kept] = entriesOf(disk, version);
  return [
    ...removeBroken(disk, version),
    ...settleNames(disk, version),
    ...(kept ? [removeEntry(kept)] : []),
  ];
}

/** removeStaged takes all staged UKIs away; one that is the running version's UKI too, by a cut activation, loses its name only. */
export function removeStaged(disk: SlotDisk): DiskStep[] {
  const { version } = disk.booted;
  return [...(disk.staged?.version === version ? settleNames(disk, version) : []), { do: 'remove-staged' }];
}

/** removeBroken takes those entries of a version away that a cut rename left empty: their names are needed. */
export function removeBroken(disk: SlotDisk, version: string): DiskStep[] {
  return disk.entries.filter((entry) => entry.version === version && entry.broken).map(removeEntry);
}

function removeEntry({ file }: { readonly file: string }): DiskStep {
  return { do: 'remove-entry', file };
}
