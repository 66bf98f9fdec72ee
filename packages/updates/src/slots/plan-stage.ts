import { PlinthError } from '@plinth/base';
import { removeStaged, removeVersion } from './remove-names.ts';
import type { DiskStep, SlotDisk } from './slot-disk.ts';
import { bootedSlot, otherSlot, versionState } from './versions.ts';

/**
 * planStage brings a version into the slot that is not booted, and its UKI onto the ESP under a name that nothing boots. Nothing that
 * boots now changes, except that the version in the other slot can no longer be gone back to. Cut at any point it is planned again
 * from what the disk holds then, and leaves out what is done. Empty: it is staged, or activated.
 * @param rootHash hexadecimal
 * @throws update/slot-booted, update/already-there, update/on-trial, update/only-proven, update/no-entry, update/disk-unreadable
 */
export function planStage(
  disk: SlotDisk,
  { version, rootHash }: { readonly version: string; readonly rootHash: string },
): DiskStep[] {
  const other = otherSlot(disk);
  if (version === disk.booted.version) {
    throw new PlinthError(
      'update/slot-booted',
      `Cannot stage ${version}: it runs from slot ${disk.booted.slot}, expected another version`,
    );
  }
  assertBootedProven(disk, `stage ${version}`);
  const stageEntry: DiskStep = { do: 'stage-entry', version };
  if (other.version === version && other.rootHash === rootHash) {
    const state = versionState(disk, version);
    if (state === 'proven') {
      throw new PlinthError(
        'update/already-there',
        `Cannot stage ${version}: it is proven in slot ${other.name}, expected a version to bring in`,
      );
    }
    if (state === 'trial') return [];
    // Labels are written after the slot was read back. After failed tries it is looked at again, from the ground up.
    if (state === 'none') return disk.staged?.version === version ? [] : [...removeStaged(disk), stageEntry];
  }
  const inTheWay = new Set(disk.entries.map((entry) => entry.version));
  inTheWay.delete(disk.booted.version);
  return [
    ...[...inTheWay].flatMap((entryVersion) => removeVersion(disk, entryVersion)),
    ...removeStaged(disk),
    ...(other.version === '' && other.rootHash === ''
      ? []
      : [{ do: 'empty-slot', slot: other.name } satisfies DiskStep]),
    { do: 'write-slot', slot: other.name, version, rootHash },
    { do: 'label-slot', slot: other.name, version, rootHash },
    stageEntry,
  ];
}

/**
 * assertBootedProven refuses what takes the other slot away while the running version is not known to work.
 * @param what "stage 1.4.2"
 * @throws update/on-trial, update/only-proven, update/no-entry, update/disk-unreadable
 */
export function assertBootedProven(disk: SlotDisk, what: string): void {
  const { version, slot } = disk.booted;
  if (bootedSlot(disk).version !== version) {
    const state = `version ${version} runs, but slot ${slot} is labelled "${bootedSlot(disk).version}"`;
    throw new PlinthError(
      'update/disk-unreadable',
      `Cannot ${what}: ${state}, expected the version that runs`,
    );
  }
  const state = versionState(disk, version);
  if (state === 'proven') return;
  if (state !== 'none') {
    throw new PlinthError(
      'update/on-trial',
      `Cannot ${what}: version ${version} runs on trial, expected a proven one`,
    );
  }
  const other = otherSlot(disk);
  if (other.version !== '' && versionState(disk, other.version) === 'proven') {
    const only = `slot ${other.name} holds ${other.version}, the only proven version`;
    throw new PlinthError(
      'update/only-proven',
      `Cannot ${what}: ${only}, expected what runs to be proven too`,
    );
  }
  throw new PlinthError(
    'update/no-entry',
    `Cannot ${what}: version ${version} runs without a boot entry, expected one`,
  );
}
