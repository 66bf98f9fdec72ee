import { PlinthError } from '@plinth/base';
import { type GptPartition, type GptTables, readGptTables } from '@plinth/formats';
import type { SlotName } from '@plinth/updates';
import type { BlockFile } from './block-file.ts';
import type { Esp } from './esp.ts';

/** The disk that the system runs from, with its two slots; all that staging touches. */
export interface SlotMachine {
  /** The whole disk: its partition tables are read and written by it, nothing else. */
  openDisk(writable: boolean): Promise<BlockFile>;
  readonly sectorBytes: number;
  /** @param number as in /dev/vda3 */
  openPartition(number: number, writable: boolean): Promise<BlockFile>;
  /** Its device, "/dev/vda3", for programs that are told of it. */
  partitionPath(number: number): string;
  /** Whether the kernel uses the partition for something. */
  isHeld(number: number): Promise<boolean>;
  readonly esp: Esp;
  /** Takes one of two names of the same clusters away, see DiskStep. */
  dropName(file: string, keeps: string): Promise<void>;
  /** Lets the boot loader take an entry for one boot. */
  bootOnce(file: string): Promise<void>;
  /** What runs: the number of the partition its root is in, and its version. */
  booted(): Promise<{ readonly rootNumber: number; readonly version: string }>;
}

/** The partitions of a slot. */
export interface SlotPartitions {
  readonly name: SlotName;
  readonly root: GptPartition;
  readonly verity: GptPartition;
  readonly signature: GptPartition;
}

export type SlotPair = readonly [SlotPartitions, SlotPartitions];

/** readTables reads both partition tables; one of them is enough. @throws update/disk-unreadable */
export async function readTables(machine: SlotMachine, disk: BlockFile): Promise<GptTables> {
  try {
    return await readGptTables(disk, { sectorBytes: machine.sectorBytes });
  } catch (reason) {
    throw PlinthError.from(reason, 'update/disk-unreadable', 'Cannot read the partition tables');
  }
}

/**
 * pairSlots puts the n-th root, hash tree and signature together, by the order of their numbers: that is how os/repart.d lays them out.
 * @throws update/disk-unreadable unless there are two of each
 */
export function pairSlots(partitions: readonly GptPartition[]): SlotPair {
  const ofType = (type: string) => partitions.filter(({ typeName }) => typeName === type);
  const [roots, trees, signatures] = [
    ofType('root-x86-64'),
    ofType('root-x86-64-verity'),
    ofType('root-x86-64-verity-sig'),
  ];
  const slot = (name: SlotName, index: number): SlotPartitions => {
    const [root, verity, signature] = [roots[index], trees[index], signatures[index]];
    if (root && verity && signature) return { name, root, verity, signature };
    const found = `${roots.length} roots, ${trees.length} hash trees and ${signatures.length} signatures`;
    throw new PlinthError(
      'update/disk-unreadable',
      `Cannot find slot ${name}: the disk has ${found}, expected two of each`,
    );
  };
  const pair = [slot('a', 0), slot('b', 1)] as const;
  if (roots.length === 2 && trees.length === 2 && signatures.length === 2) return pair;
  throw new PlinthError(
    'update/disk-unreadable',
    'Cannot tell the slots apart: the disk has more than two, expected two',
  );
}
