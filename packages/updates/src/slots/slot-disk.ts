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
}

/** What a disk holds, as far as updates are concerned; everything that decides reads only this. */
export interface SlotDisk {
  readonly slots: readonly [Slot, Slot];
  readonly entries: readonly BootEntry[];
  /** The staged UKI that no boot loader sees yet; absent when none is there, whole and verified. */
  readonly staged?: { readonly version: string };
  readonly booted: { readonly slot: SlotName; readonly version: string };
}

/** One thing that is done to the disk. Each is whole or not at all after a power cut, or harmless when torn; see the plan's tests. */
export type DiskStep =
  /** Takes a boot entry away, so that nothing can boot what is about to be overwritten. */
  | { readonly do: 'remove-entry'; readonly file: string }
  /** Takes the staged UKI away. */
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
  /** Puts the UKI on the ESP under a name that no boot loader reads. */
  | { readonly do: 'stage-entry'; readonly version: string }
  /** Gives the staged UKI its name with counters: from here on the boot loader tries it. */
  | { readonly do: 'activate-entry'; readonly version: string; readonly tries: number }
  /** Takes the counters from an entry's name: it is proven. */
  | { readonly do: 'bless-entry'; readonly file: string };
