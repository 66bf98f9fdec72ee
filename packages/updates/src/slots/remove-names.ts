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
    ...disk.entries.filter((entry) => entry.version === version && entry.broken).map(removeEntry),
    ...settleNames(disk, version),
    ...(kept ? [removeEntry(kept)] : []),
  ];
}

export function removeEntry({ file }: { readonly file: string }): DiskStep {
  return { do: 'remove-entry', file };
}
