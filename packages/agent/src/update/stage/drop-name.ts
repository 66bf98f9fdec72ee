import { PlinthError } from '@plinth/base';
import { type BlockReader, planDropName } from '@plinth/formats';
import type { Units } from '../../kubernetes/units/run-unit.ts';
import { ALIGN_BYTES } from './aligned-buffer.ts';
import { readTables, type SlotMachine } from './slot-machine.ts';

/** The ESP, mounted on use; whoever looks at it next mounts it again. */
const ESP_UNIT = 'efi.mount';
const BOOT_ENTRIES = ['EFI', 'Linux'];
const UNMOUNT_MS = 60_000;

/**
 * dropName takes one of two names of a UKI away that share their clusters since a power cut ended a rename. The ESP is unmounted for it:
 * removing the name in the mounted file system would free the clusters under the other name.
 * @throws update/disk-failed, update/disk-unreadable, kubernetes/unit-failed, kubernetes/unit-timeout
 */
export async function dropName(
  machine: SlotMachine,
  units: Pick<Units, 'run'>,
  names: { readonly name: string; readonly keeps: string },
): Promise<void> {
  const number = await espNumber(machine);
  await units.run('stop', ESP_UNIT, { timeoutMs: UNMOUNT_MS });
  const esp = await machine.openPartition(number, true);
  try {
    for (const { offsetBytes, bytes } of await planDropName(aligned(esp), {
      folder: BOOT_ENTRIES,
      ...names,
    })) {
      await esp.write(offsetBytes, bytes);
      await esp.flush();
    }
  } finally {
    await esp.close();
  }
}

async function espNumber(machine: SlotMachine): Promise<number> {
  const disk = await machine.openDisk(false);
  try {
    const found = (await readTables(machine, disk)).partitions.find(({ typeName }) => typeName === 'esp');
    if (found) return found.number;
  } finally {
    await disk.close();
  }
  throw new PlinthError(
    'update/disk-unreadable',
    'Cannot find the EFI system partition: the disk has none, expected one',
  );
}

/** Reads of any length, by a device that takes whole blocks only. */
function aligned(device: BlockReader): BlockReader {
  return {
    sizeBytes: device.sizeBytes,
    async read(offset, lengthBytes) {
      const start = offset - (offset % ALIGN_BYTES);
      const end = Math.min(Math.ceil((offset + lengthBytes) / ALIGN_BYTES) * ALIGN_BYTES, device.sizeBytes);
      return (await device.read(start, end - start)).subarray(offset - start, offset - start + lengthBytes);
    },
  };
}
