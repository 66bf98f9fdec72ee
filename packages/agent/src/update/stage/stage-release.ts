import { PlinthError } from '@plinth/base';
import { type DiskStep, planStage, type SlotName } from '@plinth/updates';
import type { Fetcher } from '../fetch/fetcher.ts';
import { doEntryStep, isEntryStep } from './do-step.ts';
import type { ProgressMeter } from './progress.ts';
import { readSlotDisk, readSlotPair } from './read-slot-disk.ts';
import type { ReleaseFiles } from './release-files.ts';
import type { SlotMachine } from './slot-machine.ts';
import { stageUki } from './stage-uki.ts';
import { writeSlot } from './write-slot.ts';

export interface StageReleaseParts {
  readonly machine: SlotMachine;
  readonly release: ReleaseFiles;
  readonly fetcher: Fetcher;
  readonly meter: ProgressMeter;
  readonly signal: AbortSignal;
}

/**
 * stageRelease does what planStage says, from what the disk holds now; a version that is staged already is left as it is. Afterwards the
 * disk is looked at again: what it holds counts, not that no step failed.
 * @throws what planStage, writeSlot and stageUki throw
 */
export async function stageRelease(parts: StageReleaseParts): Promise<void> {
  const { machine, release, meter, signal } = parts;
  const disk = await readSlotDisk(machine);
  const steps = planStage(disk, release);
  if (steps.length > 0) meter.phase('prepare');
  for (const step of steps) {
    signal.throwIfAborted();
    await doStep(parts, step, disk.booted.slot);
  }
  const left = planStage(await readSlotDisk(machine), release);
  if (left.length > 0) {
    const state = `${left.map((step) => step.do).join(', ')} would still have to be done`;
    throw new PlinthError(
      'update/disk-failed',
      `Cannot stage ${release.version}: ${state}, expected the disk to hold it`,
    );
  }
  meter.phase('staged');
}

async function doStep(parts: StageReleaseParts, step: DiskStep, bootedSlot: SlotName): Promise<void> {
  if (isEntryStep(step)) return doEntryStep(parts.machine, step);
  if (step.do === 'stage-entry') return stageUki({ ...parts, esp: parts.machine.esp });
  const pair = await readSlotPair(parts.machine);
  const [target, booted] = [step.slot, bootedSlot].map((name) => pair.find((slot) => slot.name === name));
  if (!target || !booted)
    throw new PlinthError('update/disk-unreadable', `Cannot find slot ${step.slot}, expected two slots`);
  return writeSlot({ ...parts, target, booted });
}
