import { PlinthError } from '@plinth/base';
import {
  type BootEntry,
  parseBootEntryName,
  parseStagedEntryName,
  readSlotNames,
  type SlotDisk,
} from '@plinth/updates';
import type { Esp, EspFile } from './esp.ts';
import { pairSlots, readTables, type SlotMachine, type SlotPair } from './slot-machine.ts';
import { isWholeUki, UKI_HEAD_BYTES } from './whole-uki.ts';

/** readSlotDisk tells what the disk holds, from its tables and its boot entries. @throws update/disk-unreadable */
export async function readSlotDisk(machine: SlotMachine): Promise<SlotDisk> {
  try {
    const pair = await readSlotPair(machine);
    const { rootNumber, version } = await machine.booted();
    const booted = pair.find(({ root }) => root.number === rootNumber);
    if (!booted) {
      const state = `the system runs from partition ${rootNumber}`;
      throw new PlinthError(
        'update/disk-unreadable',
        `Cannot tell which slot runs: ${state}, expected that of a slot`,
      );
    }
    const [a, b] = pair;
    const files = await machine.esp.list();
    const staged = await readStaged(machine.esp, files);
    return {
      slots: [readSlotNames('a', a), readSlotNames('b', b)],
      entries: await readEntries(machine.esp, files),
      ...(staged === undefined ? {} : { staged: { version: staged } }),
      booted: { slot: booted.name, version },
    };
  } catch (reason) {
    throw PlinthError.from(reason, 'update/disk-unreadable', 'Cannot read the slots of the disk');
  }
}

/** readSlotPair finds the partitions of both slots. @throws update/disk-unreadable */
export async function readSlotPair(machine: SlotMachine): Promise<SlotPair> {
  const disk = await machine.openDisk(false);
  try {
    return pairSlots((await readTables(machine, disk)).partitions);
  } finally {
    await disk.close();
  }
}

async function readEntries(esp: Esp, files: readonly EspFile[]): Promise<BootEntry[]> {
  const entries: BootEntry[] = [];
  for (const file of files) {
    const entry = parseBootEntryName(file.name);
    if (entry) entries.push((await isWhole(esp, file)) ? entry : { ...entry, broken: true });
  }
  return entries;
}

/** Its name is given after it was read back whole; what can spoil it later is a cut rename. */
async function readStaged(esp: Esp, files: readonly EspFile[]): Promise<string | undefined> {
  for (const file of files) {
    const version = parseStagedEntryName(file.name);
    if (version !== undefined && (await isWhole(esp, file))) return version;
  }
  return undefined;
}

async function isWhole(esp: Esp, { name, sizeBytes }: EspFile): Promise<boolean> {
  if (sizeBytes < UKI_HEAD_BYTES) return false;
  return isWholeUki(await esp.read(name, 0, UKI_HEAD_BYTES), sizeBytes);
}
