import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { readGptTables } from '@plinth/formats';
import { openBlockFile } from '../stage/block-file.ts';
import { openEsp } from '../stage/esp.ts';
import type { SlotMachine } from '../stage/slot-machine.ts';

export interface FileMachineOptions {
  /** An image of a disk in a file. */
  readonly diskPath: string;
  /** A folder in place of EFI/Linux. */
  readonly espFolder: string;
  readonly booted: { readonly rootNumber: number; readonly version: string };
}

const SECTOR_BYTES = 512;
const GAP_BYTES = 512 * 1024;

/** openFileMachine is a machine whose disk is a file: the same reads and writes as on a node, past the page cache. */
export async function openFileMachine({
  diskPath,
  espFolder,
  booted,
}: FileMachineOptions): Promise<SlotMachine> {
  const file = await open(diskPath, 'r');
  const { size: sizeBytes } = await file.stat();
  await file.close();
  const openDisk = (writable: boolean) =>
    openBlockFile({ path: diskPath, writable, sizeBytes, flushAtBytes: GAP_BYTES });
  return {
    sectorBytes: SECTOR_BYTES,
    openDisk,
    async openPartition(number, writable) {
      const disk = await openDisk(false);
      try {
        const { partitions } = await readGptTables(disk);
        const found = partitions.find((partition) => partition.number === number);
        if (!found) throw new Error(`${diskPath} has no partition ${number}`);
        return await openBlockFile({
          path: diskPath,
          writable,
          startBytes: found.offsetBytes,
          sizeBytes: found.sizeBytes,
        });
      } finally {
        await disk.close();
      }
    },
    partitionPath: (number) => `/dev/vda${number}`,
    isHeld: async () => false,
    esp: openEsp(join(espFolder), async () => {}),
    dropName: async () => {
      throw new Error('a folder has no clusters');
    },
    bootOnce: async () => {},
    booted: async () => booted,
  };
}
