import { PlinthError } from '@plinth/base';
import { isNewer } from '../is-newer.ts';
import { bootEntryName } from './boot-entry-name.ts';
import { assertBootedProven } from './plan-stage.ts';
import { removeBroken, removeStaged, removeVersion, settleNames } from './remove-names.ts';
import type { DiskStep, SlotDisk } from './slot-disk.ts';
import { entriesOf, otherSlot, versionState } from './versions.ts';

/**
 * planActivate lets the boot loader try the staged version at the next boots. Empty: it is activated already.
 * @param tries boots in which it may become healthy, 1 to 9; a version older than the running one gets one boot at a time
 * @throws update/nothing-staged, update/other-staged, update/on-trial, update/only-proven, update/no-entry, update/disk-unreadable
 */
export function planActivate(disk: SlotDisk, version: string, tries: number): DiskStep[] {
  if (!Number.isInteger(tries) || tries < 1 || tries > 9) {
    throw new PlinthError('internal/bug', `Cannot activate ${version}: ${tries} tries, expected 1 to 9`);
  }
  assertBootedProven(disk, `activate ${version}`);
  const other = otherSlot(disk);
  if (other.version === version && versionState(disk, version) === 'trial') {
    const [entry] = entriesOf(disk, version);
    return [...settleNames(disk, version), ...bootOnce(disk, version, entry?.file ?? '')];
  }
  if (disk.staged && disk.staged.version !== version) {
    const state = `version ${disk.staged.version} is staged`;
    throw new PlinthError('update/other-staged', `Cannot activate ${version}: ${state}, expected ${version}`);
  }
  const failed = versionState(disk, version) === 'failed';
  if (!disk.staged || other.version !== version || failed) {
    const state = failed
      ? 'its tries ran out'
      : disk.staged
        ? `slot ${other.name} does not hold it`
        : 'it is not staged';
    throw new PlinthError(
      'update/nothing-staged',
      `Cannot activate ${version}: ${state}, expected it whole and verified`,
    );
  }
  const file = bootEntryName(version, { triesLeft: tries, triesDone: 0 });
  // What is left of entries of that version is broken: an empty file that a cut activation left.
  return [
    ...removeVersion(disk, version),
    { do: 'activate-entry', version, tries },
    ...bootOnce(disk, version, file),
  ];
}

/**
 * planBless keeps the running version: its boot entry is no longer counted. After a step back to an older version the newer one's
 * entry goes, or the boot loader would take that again. Empty: it is proven already.
 * @throws update/no-entry
 */
export function planBless(disk: SlotDisk): DiskStep[] {
  const { version } = disk.booted;
  const [entry] = entriesOf(disk, version);
  if (!entry) {
    throw new PlinthError(
      'update/no-entry',
      `Cannot bless ${version}: it has no boot entry, expected the one it was booted by`,
    );
  }
  if (entry.triesLeft === undefined) return [...removeBroken(disk, version), ...settleNames(disk, version)];
  const newer = otherSlot(disk).version;
  const stepBack = newer !== '' && isNewer(newer, version);
  return [
    ...removeBroken(disk, version),
    ...settleNames(disk, version),
    { do: 'bless-entry', file: entry.file },
    ...(stepBack ? removeVersion(disk, newer) : []),
  ];
}

/**
 * planRollback makes the next boot one of the proven version in the other slot, and leaves nothing that boots the running one.
 * @throws update/no-rollback
 */
export function planRollback(disk: SlotDisk): DiskStep[] {
  const target = otherSlot(disk);
  if (target.version === '' || versionState(disk, target.version) !== 'proven') {
    const state = target.version === '' ? 'is empty' : `holds ${target.version}, which is not proven`;
    throw new PlinthError(
      'update/no-rollback',
      `Cannot roll back: slot ${target.name} ${state}, expected a proven version`,
    );
  }
  return [...settleNames(disk, target.version), ...removeVersion(disk, disk.booted.version)];
}

/** planCancel takes back what is staged, and what is activated and not proven; what runs and what is proven stays. */
export function planCancel(disk: SlotDisk): DiskStep[] {
  const other = otherSlot(disk);
  const keep =
    other.version === disk.booted.version ||
    other.version === '' ||
    versionState(disk, other.version) === 'proven';
  return [...(keep ? [] : removeVersion(disk, other.version)), ...(disk.staged ? removeStaged(disk) : [])];
}

/**
 * planRecover settles what a power cut can leave: two names of one UKI, empty files, entries and staged UKIs whose slot is gone. To be
 * done once after each boot, before anything else is planned.
 */
export function planRecover(disk: SlotDisk): DiskStep[] {
  const held = new Set([disk.booted.version, ...disk.slots.map(({ version }) => version)]);
  const versions = new Set(disk.entries.map(({ version }) => version));
  const stagedSlot = disk.staged !== undefined && held.has(disk.staged.version);
  return [
    ...[...versions].flatMap((version) => {
      if (!held.has(version)) return removeVersion(disk, version);
      return [...removeBroken(disk, version), ...settleNames(disk, version)];
    }),
    ...(disk.staged && !stagedSlot ? [{ do: 'remove-staged' } satisfies DiskStep] : []),
  ];
}

function bootOnce(disk: SlotDisk, version: string, file: string): DiskStep[] {
  return isNewer(disk.booted.version, version) ? [{ do: 'boot-once', file }] : [];
}
