import type { BootEntry, Slot, SlotDisk, SlotName } from './slot-disk.ts';

/**
 * What the boot entries say of a version. proven: it became healthy once. trial: the boot loader may still try it. failed: its
 * tries ran out. none: nothing boots it.
 */
export type VersionState = 'proven' | 'trial' | 'failed' | 'none';

/** A version in a slot. */
export interface VersionInSlot {
  readonly version: string;
  readonly rootHash: string;
  readonly slot: SlotName;
  readonly state: VersionState;
  /** Of its boot entry; 0 unless it is on trial. */
  readonly triesLeft: number;
  readonly triesDone: number;
}

/** A disk in the words of the field. */
export interface SlotView {
  readonly booted: VersionInSlot;
  /** Staged, or activated and not booted yet; absent when none is. */
  readonly staged?: VersionInSlot & { readonly activated: boolean };
  /** The proven version in the other slot. */
  readonly rollback?: VersionInSlot;
  /** The version in the other slot whose tries ran out, or that nothing boots any more. */
  readonly retired?: VersionInSlot;
  /** Slots that nothing may write now. */
  readonly writeProtected: readonly SlotName[];
}

/** viewSlots tells what is booted, staged, and there to go back to. */
export function viewSlots(disk: SlotDisk): SlotView {
  const other = otherSlot(disk);
  const booted = inSlot(disk, { ...bootedSlot(disk), version: disk.booted.version });
  const view = { booted, writeProtected: writeProtectedSlots(disk) };
  if (other.version === '') return view;
  const found = inSlot(disk, other);
  if (found.state === 'proven') return { ...view, rollback: found };
  if (found.state === 'trial') return { ...view, staged: { ...found, activated: true } };
  if (found.state === 'none' && disk.staged?.version === other.version) {
    return { ...view, staged: { ...found, activated: false } };
  }
  return { ...view, retired: found };
}

/** versionState reads the state of a version from its boot entries. */
export function versionState(disk: SlotDisk, version: string): VersionState {
  const entries = entriesOf(disk, version);
  if (entries.some(({ triesLeft }) => triesLeft === undefined)) return 'proven';
  if (entries.some(({ triesLeft }) => (triesLeft ?? 0) > 0)) return 'trial';
  return entries.length > 0 ? 'failed' : 'none';
}

/** writeProtectedSlots are the slots that nothing may write now: the booted one, and the other when it alone is proven. */
export function writeProtectedSlots(disk: SlotDisk): readonly SlotName[] {
  const other = otherSlot(disk);
  const othersTurn = versionState(disk, disk.booted.version) === 'proven';
  const onlyProven = other.version !== '' && versionState(disk, other.version) === 'proven' && !othersTurn;
  return onlyProven ? [disk.booted.slot, other.name] : [disk.booted.slot];
}

/** entriesOf lists the boot entries of a version that a boot loader can start, the one to keep first: proven, then least tries left. */
export function entriesOf(disk: SlotDisk, version: string): readonly BootEntry[] {
  return disk.entries
    .filter((entry) => entry.version === version && !entry.broken)
    .toSorted((left, right) => (left.triesLeft ?? -1) - (right.triesLeft ?? -1));
}

export function bootedSlot(disk: SlotDisk): Slot {
  return disk.booted.slot === disk.slots[0].name ? disk.slots[0] : disk.slots[1];
}

/** otherSlot is the slot that is not booted. */
export function otherSlot(disk: SlotDisk): Slot {
  return disk.booted.slot === disk.slots[0].name ? disk.slots[1] : disk.slots[0];
}

function inSlot(disk: SlotDisk, slot: Slot): VersionInSlot {
  const [entry] = entriesOf(disk, slot.version);
  return {
    version: slot.version,
    rootHash: slot.rootHash,
    slot: slot.name,
    state: versionState(disk, slot.version),
    triesLeft: entry?.triesLeft ?? 0,
    triesDone: entry?.triesDone ?? 0,
  };
}
