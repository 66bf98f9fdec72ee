import { writeFile } from 'node:fs/promises';
import { PlinthError, unreachable } from '@plinth/base';
import {
  bootEntryName,
  type DiskStep,
  emptySlotNames,
  parseBootEntryName,
  parseStagedEntryName,
  slotNames,
  stagedEntryName,
} from '@plinth/updates';
import { EFI_LOADER, efiVariablePath } from '../../kernel/efi-variable.ts';
import { editLabels } from './edit-labels.ts';
import type { Esp } from './esp.ts';
import type { SlotMachine } from './slot-machine.ts';

/** systemd-boot starts the entry it names once, and takes it away (systemd, BOOT_LOADER_INTERFACE). */
const ONE_SHOT_VARIABLE = efiVariablePath('LoaderEntryOneShot', EFI_LOADER);
/** Kept by the firmware; seen at boot and at run time. */
const EFI_ATTRIBUTES = [7, 0, 0, 0];

export type EntryStep = Exclude<DiskStep, { readonly do: 'write-slot' | 'stage-entry' }>;

/** isEntryStep tells steps that need nothing of a release. */
export function isEntryStep(step: DiskStep): step is EntryStep {
  return step.do !== 'write-slot' && step.do !== 'stage-entry';
}

/**
 * doEntryStep carries out a step that needs nothing of a release; it is on the medium when it has ended.
 * @throws update/disk-failed, update/disk-unreadable
 */
export async function doEntryStep(machine: SlotMachine, step: EntryStep): Promise<void> {
  const { esp } = machine;
  try {
    switch (step.do) {
      case 'remove-entry':
        return await esp.remove(step.file);
      case 'remove-staged':
        return await removeStaged(esp);
      case 'drop-name':
        return await machine.dropName(step.file, step.keeps);
      case 'empty-slot':
        return await editLabels(machine, step.slot, emptySlotNames(step.slot));
      case 'label-slot':
        return await editLabels(machine, step.slot, slotNames(step));
      case 'activate-entry': {
        const counters = { triesLeft: step.tries, triesDone: 0 };
        return await esp.rename(stagedEntryName(step.version), bootEntryName(step.version, counters));
      }
      case 'bless-entry': {
        const version =
          parseBootEntryName(step.file)?.version ?? unreachable(`${step.file} is no boot entry`);
        return await esp.rename(step.file, bootEntryName(version));
      }
      case 'boot-once':
        return await machine.bootOnce(step.file);
    }
  } catch (reason) {
    throw PlinthError.from(reason, 'update/disk-failed', `Cannot change the disk (${step.do})`);
  }
}

async function removeStaged(esp: Esp): Promise<void> {
  for (const { name } of await esp.list()) {
    if (parseStagedEntryName(name) !== undefined) await esp.remove(name);
  }
}

/** writeOneShot sets the variable; efivarfs takes one in a single write only. */
export async function writeOneShot(file: string): Promise<void> {
  const text = Buffer.from(`${file.replace(/\+.*(?=\.efi$)/, '')}\0`, 'utf16le');
  await writeFile(ONE_SHOT_VARIABLE, Buffer.concat([Buffer.from(EFI_ATTRIBUTES), text]));
}
