import { PlinthError } from '@plinth/base';
import {
  type BlockReader,
  type FatFiles,
  type Gpt,
  type GptPartition,
  readFat,
  readGpt,
} from '@plinth/formats';
import { sliceReader } from './file-reader.ts';

/** A slot that holds a version: its root, hash tree and signature partitions. */
export interface Slot {
  /** "plinth_1.4.2", the label of the root partition. */
  readonly label: string;
  readonly root: GptPartition;
  readonly verity: GptPartition;
  readonly signature: GptPartition;
}

export interface DiskLayout {
  readonly gpt: Gpt;
  /** At least one. */
  readonly slots: readonly [Slot, ...Slot[]];
  readonly esp: FatFiles;
  readonly espPartition: GptPartition;
}

/** What repart and sysupdate call a slot without a version. */
const EMPTY_LABEL = '_empty';

/** readDiskLayout finds slots and boot files of a disk that Plinth made, on a machine used since or not.
 * @throws formats/gpt-invalid, formats/fat-invalid, release/disk-invalid
 */
export async function readDiskLayout(disk: BlockReader): Promise<DiskLayout> {
  const gpt = await readGpt(disk);
  const espPartition = gpt.partitions.find(({ typeName }) => typeName === 'esp');
  if (!espPartition) throw invalid('no EFI system partition');
  const labelled = (type: string, label: string) => {
    const found = gpt.partitions.find(
      (partition) => partition.typeName === type && partition.label === label,
    );
    if (found) return found;
    throw invalid(`no partition of type ${type} with label ${label}`);
  };
  const [first, ...others] = gpt.partitions
    .filter(({ typeName, label }) => typeName === 'root-x86-64' && label !== EMPTY_LABEL)
    .map((root) => ({
      label: root.label,
      root,
      verity: labelled('root-x86-64-verity', `${root.label}_verity`),
      signature: labelled('root-x86-64-verity-sig', `${root.label}_sig`),
    }));
  if (!first) throw invalid('no slot with a version');
  return {
    gpt,
    slots: [first, ...others],
    espPartition,
    esp: await readFat(sliceReader(disk, espPartition)),
  };
}

/** isEmptySlot tells whether a partition waits for its first version. */
export function isEmptySlot({ label }: GptPartition): boolean {
  return label === EMPTY_LABEL;
}

function invalid(state: string): PlinthError {
  return new PlinthError(
    'release/disk-invalid',
    `Cannot read the disk: it has ${state}, expected the partitions of os/repart.d`,
  );
}
