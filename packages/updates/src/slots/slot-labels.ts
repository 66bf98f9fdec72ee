import { hexUuid, seededUuid } from '@plinth/formats';
import type { Slot, SlotName } from './slot-disk.ts';

/** Label systemd-sysupdate gives to a partition without content (sysupdate.d(5)). */
export const EMPTY_LABEL = '_empty';
const NAME = 'plinth';

/** Label and unique id of a partition. */
export interface PartitionName {
  readonly label: string;
  readonly uuid: string;
}

/** What the partitions of a slot are called. */
export interface SlotPartitionNames {
  readonly root: PartitionName;
  readonly verity: PartitionName;
  readonly signature: PartitionName;
}

/**
 * slotNames gives labels and ids of the partitions of a slot that holds a version. Root and hash tree have the halves of the root hash
 * (UAPI.2), by which the initrd finds them.
 * @param rootHash 64 hexadecimal digits
 */
export function slotNames({ version, rootHash }: Pick<Slot, 'version' | 'rootHash'>): SlotPartitionNames {
  return {
    root: { label: `${NAME}_${version}`, uuid: hexUuid(rootHash.slice(0, 32)) },
    verity: { label: `${NAME}_${version}_verity`, uuid: hexUuid(rootHash.slice(32, 64)) },
    signature: { label: `${NAME}_${version}_sig`, uuid: seededUuid(`plinth ${rootHash} signature`) },
  };
}

/** emptySlotNames gives those of an empty slot, with ids that no root hash has. */
export function emptySlotNames(slot: SlotName): SlotPartitionNames {
  const empty = (part: string) => ({
    label: EMPTY_LABEL,
    uuid: seededUuid(`plinth empty slot ${slot} ${part}`),
  });
  return { root: empty('root'), verity: empty('verity'), signature: empty('signature') };
}

/** readSlotNames tells what a slot holds by the names of its partitions; empty unless all three say the same. */
export function readSlotNames(name: SlotName, { root, verity, signature }: SlotPartitionNames): Slot {
  const empty = { name, version: '', rootHash: '' };
  const version = root.label.startsWith(`${NAME}_`) ? root.label.slice(NAME.length + 1) : '';
  if (version === '' || verity.label !== `${root.label}_verity` || signature.label !== `${root.label}_sig`) {
    return empty;
  }
  return { name, version, rootHash: `${root.uuid}${verity.uuid}`.replaceAll('-', '').toLowerCase() };
}
