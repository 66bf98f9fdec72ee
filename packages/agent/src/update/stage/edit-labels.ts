import { PlinthError } from '@plinth/base';
import { editGpt } from '@plinth/formats';
import type { SlotName, SlotPartitionNames } from '@plinth/updates';
import { pairSlots, readTables, type SlotMachine } from './slot-machine.ts';

/**
 * editLabels gives the partitions of a slot other labels and ids, in both tables: the backup first, each part on the medium before the
 * next. The running kernel keeps what it read at its start.
 * @throws update/disk-unreadable, update/disk-failed
 */
export async function editLabels(
  machine: SlotMachine,
  slot: SlotName,
  names: SlotPartitionNames,
): Promise<void> {
  try {
    const disk = await machine.openDisk(true);
    try {
      const tables = await readTables(machine, disk);
      const partitions = pairSlots(tables.partitions).find(({ name }) => name === slot);
      if (!partitions) throw new Error(`there is no slot ${slot}`);
      const edits = (['root', 'verity', 'signature'] as const).map((part) => ({
        number: partitions[part].number,
        ...names[part],
      }));
      for (const { offsetBytes, bytes } of editGpt(tables, edits)) {
        await disk.write(offsetBytes, bytes);
        await disk.flush();
      }
    } finally {
      await disk.close();
    }
  } catch (reason) {
    throw PlinthError.from(reason, 'update/disk-failed', `Cannot label slot ${slot}`);
  }
}
