/** The two places for a system image. */
export type SlotName = 'a' | 'b';

/** One slot as its partitions tell: label, unique ids (the halves of the root hash), and what was verified of its content. */
export interface Slot {
  readonly name: SlotName;
  /** "" when it is labelled empty, which it also is while it is being written. */
  readonly version: string;
  /** By the partitions' ids; "" when empty. */
  readonly rootHash: string;
}

/** One boot entry: a UKI on the ESP. Its counters are in its file name (systemd, Automatic Boot Assessment). */
export interface BootEntry {
  readonly file: string;
  readonly version: string;
  /** Absent: blessed, it became healthy once and is no longer counted. */
  readonly triesLeft?: number;
  readonly triesDone?: number;
  /** Its file is not the whole UKI: a rename that a power cut ended can leave an empty file. The boot loader passes it over. */
  readonly broken?: true;
}

/** What a disk holds, as far as updates are concerned; everything that decides reads only this. */
export interface SlotDisk {
  readonly slots: readonly [Slot, Slot];
  readonly entries: readonly BootEntry[];
  /** The staged UKI that no boot loader sees yet, see stagedEntryName; absent when none is there, whole and verified. */
  readonly staged?: { readonly version: string };
  readonly booted: { readonly slot: SlotName; readonly version: string };
}

/** One thing that is done to the disk. Each is whole or not at all after a power cut, or harmless when torn; see the plan's tests. */
export type DiskStep =
  /** Takes a boot entry away, so that nothing can boot what is about to be overwritten. */
  | { readonly do: 'remove-entry'; readonly file: string }
  /**
   * Takes one name of a UKI away that has two since a power cut ended a rename, and leaves its clusters to the other name. Removing the
   * file would free them under the other name. The ESP is not mounted while it is done; see planDropName of formats.
   */
  | { readonly do: 'drop-name'; readonly file: string; readonly keeps: string }
  /** Takes every staged UKI away, whole or not. */
  | { readonly do: 'remove-staged' }
  /** Labels the slot's partitions empty, with ids that no root hash gives. */
  | { readonly do: 'empty-slot'; readonly slot: SlotName }
  /** Writes root, hash tree and signature, and reads them back against the root hash. */
  | {
      readonly do: 'write-slot';
      readonly slot: SlotName;
      readonly version: string;
      readonly rootHash: string;
    }
  /** Labels the slot with its version and the ids of its root hash. */
  | {
      readonly do: 'label-slot';
      readonly slot: SlotName;
      readonly version: string;
      readonly rootHash: string;
    }
  /** Puts the UKI on the ESP under a name that no boot loader reads (stagedEntryName), and reads it back. */
  | { readonly do: 'stage-entry'; readonly version: string }
  /** Gives the staged UKI its name with counters (bootEntryName): from here on the boot loader tries it, if it is the newest. */
  | { readonly do: 'activate-entry'; readonly version: string; readonly tries: number }
  /**
   * Lets the boot loader take this entry for one boot (EFI variable LoaderEntryOneShot, the name without counters). Only for a version
   * older than the one that runs: by itself the boot loader prefers the newest. When it fails, the next boot is of the newer one.
   */
  | { readonly do: 'boot-once'; readonly file: string }
  /** Takes the counters from an entry's name: it is proven. */
  | { readonly do: 'bless-entry'; readonly file: string };
