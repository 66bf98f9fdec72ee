import { type ErrorCode, PlinthError } from '@plinth/base';
import { bytesOf, type Volume, volumeLabel, volumePlace } from '@plinth/config';
import { type MountInfo, visibleMounts } from '../kernel/mountinfo.ts';
import type { DiskFact, DisksSeen, PartitionFact } from './read-disks.ts';
import { type DiskIdentity, identityOf, isSameDisk, type VolumeRecord } from './records.ts';

/** The partition of a volume. */
export interface FoundVolume {
  readonly disk: DiskFact;
  readonly partition: PartitionFact;
}

/** What is to be done for a volume, or why nothing can be. */
export type Decision =
  | ({ readonly kind: 'mounted'; readonly mount: MountInfo; readonly concern: string } & FoundVolume)
  | ({ readonly kind: 'mount' } & FoundVolume)
  /** On the first of these that is proven blank; a single one that is not is an error. */
  | { readonly kind: 'make'; readonly candidates: readonly DiskFact[]; readonly resumed: boolean }
  | { readonly kind: 'refused'; readonly problem: PlinthError };

/** The other volumes of the config, and what is noted of them: their disks are not free, blank as they may be. */
export interface OtherVolumes {
  readonly volumes: readonly Volume[];
  readonly records: readonly VolumeRecord[];
}

/** decideVolume says what a volume needs. A volume that is there is never made; one that was made never again. Pure. */
export function decideVolume(
  volume: Volume,
  { disks, mounts }: DisksSeen,
  record: VolumeRecord | undefined,
  others: OtherVolumes = { volumes: [], records: [] },
): Decision {
  const label = volumeLabel(volume.name);
  const place = volumePlace(volume.name);
  const found = disks.flatMap((disk) =>
    disk.partitions.filter((each) => each.label === label).map((partition) => ({ disk, partition })),
  );
  const at = visibleMounts(mounts).find(({ target }) => target === place);
  const [only, second] = found;
  if (only && second)
    return refuse(
      volume,
      'volume/disk-ambiguous',
      `${found.map(({ partition }) => partition.name).join(' and ')} carry the label ${label}`,
      'one partition',
    );
  if (only) {
    if (at)
      return at.device === only.partition.device
        ? { kind: 'mounted', ...only, mount: at, concern: concernOf(volume, only.disk) }
        : refuse(
            volume,
            'volume/place-taken',
            `${at.source} is mounted at ${place}`,
            `${only.partition.name}`,
          );
    const elsewhere = mounts.find(({ device }) => device === only.partition.device);
    if (elsewhere)
      return refuse(volume, 'volume/place-taken', `it is mounted at ${elsewhere.target}`, `it at ${place}`);
    if (only.disk.readOnly || only.partition.holders > 0)
      return refuse(
        volume,
        'volume/disk-unfit',
        unfitness(only.disk, mounts) ?? 'it is in use',
        'a disk of its own',
      );
    return { kind: 'mount', ...only };
  }
  // Also where the mount of a disk that was pulled out is still there.
  if (record?.state === 'made')
    return refuse(
      volume,
      'volume/disk-lost',
      `it was made on ${named(record.disk)}, which is not there`,
      'that disk',
    );
  if (at) return refuse(volume, 'volume/place-taken', `${at.source} is mounted at ${place}`, 'nothing there');
  return decideDisk(volume, { disks, mounts }, record, others);
}

function decideDisk(
  volume: Volume,
  { disks, mounts }: DisksSeen,
  record: VolumeRecord | undefined,
  others: OtherVolumes,
): Decision {
  const { disk: wanted } = volume;
  const least = leastBytes(wanted);
  if (record) {
    // It was begun there: no other disk may be taken in its place.
    const begun = disks.filter((disk) => isSameDisk(record.disk, identityOf(disk)));
    if (begun.length !== 1)
      return refuse(
        volume,
        'volume/disk-lost',
        `it was begun on ${named(record.disk)}, which is not there`,
        'that disk',
      );
    return decideOne(volume, begun, mounts, least, true);
  }
  if (wanted.largestEmpty) {
    const candidates = disks
      .filter((disk) => !disk.removable && disk.sizeBytes >= least && unfitness(disk, mounts) === undefined)
      .filter((disk) => disk.partitions.length === 0 && ownerOf(disk, others) === undefined)
      .filter((disk) => !others.volumes.some((other) => isNamed(other, disk)))
      .sort((a, b) => b.sizeBytes - a.sizeBytes || (a.name < b.name ? -1 : 1));
    return candidates.length > 0
      ? { kind: 'make', candidates, resumed: false }
      : refuse(volume, 'volume/disk-missing', 'no disk of that size is free', 'an empty disk');
  }
  const fitting = disks.filter((disk) => isNamed(volume, disk));
  const [only] = fitting;
  const owner = only && ownerOf(only, others);
  if (owner !== undefined)
    return refuse(
      volume,
      'volume/disk-unfit',
      `${only?.name} is that of volume ${owner}, which was begun on it`,
      'a disk of its own',
    );
  return decideOne(volume, fitting, mounts, least, false);
}

function decideOne(
  volume: Volume,
  fitting: readonly DiskFact[],
  mounts: readonly MountInfo[],
  least: number,
  resumed: boolean,
): Decision {
  const [disk, second] = fitting;
  if (!disk) return refuse(volume, 'volume/disk-missing', 'no disk is the one it names', 'one disk');
  if (second)
    return refuse(
      volume,
      'volume/disk-ambiguous',
      `${fitting.map(({ name }) => name).join(' and ')} fit`,
      'one disk',
    );
  const unfit = unfitness(disk, mounts);
  if (unfit !== undefined)
    return refuse(volume, 'volume/disk-unfit', `${disk.name}: ${unfit}`, 'a disk of its own');
  if (disk.partitions.length > 0)
    return refuse(volume, 'volume/disk-not-empty', `${disk.name} has partitions`, 'an empty disk');
  if (disk.sizeBytes < least)
    return refuse(
      volume,
      'volume/disk-too-small',
      `${disk.name} has ${disk.sizeBytes} bytes`,
      `${least} at least`,
    );
  return { kind: 'make', candidates: [disk], resumed };
}

/** The volume that was begun on a disk, or made there. */
function ownerOf(disk: DiskFact, { records }: OtherVolumes): string | undefined {
  return records.find((record) => isSameDisk(record.disk, identityOf(disk)))?.name;
}

/** isNamed tells whether the document names this disk by what it is. */
function isNamed({ disk: { serial, wwid, path } }: Volume, disk: DiskFact): boolean {
  if (serial !== undefined) return disk.serial === serial;
  if (wwid !== undefined) return disk.wwid === wwid;
  return path !== undefined && disk.path === path;
}

function unfitness({ readOnly, holders, device, partitions }: DiskFact, mounts: readonly MountInfo[]) {
  if (readOnly) return 'it is read-only';
  if (holders > 0 || partitions.some((each) => each.holders > 0)) return 'another device is made of it';
  const devices = [device, ...partitions.map((each) => each.device)];
  if (mounts.some((mount) => devices.includes(mount.device))) return 'it is mounted';
  return undefined;
}

/** A volume that is in use and not on the disk the document names, or too small: told, for it cannot be moved. */
function concernOf(volume: Volume, disk: DiskFact): string {
  if (!volume.disk.largestEmpty && !isNamed(volume, disk))
    return `it is on ${disk.name}, which the config does not name`;
  return disk.sizeBytes < leastBytes(volume.disk) ? `${disk.name} is smaller than minimumSize` : '';
}

/** The least a disk must have. What could not be read would be more than any has. */
function leastBytes({ minimumSize }: Volume['disk']): number {
  return minimumSize === undefined ? 0 : (bytesOf(minimumSize) ?? Number.POSITIVE_INFINITY);
}

function named({ serial, wwid, path, sizeBytes }: DiskIdentity): string {
  const by = serial ? `serial ${serial}` : wwid ? `WWID ${wwid}` : path ? `path ${path}` : 'no name';
  return `a disk of ${sizeBytes} bytes, ${by}`;
}

/** refusal is why a volume is not mounted. */
export function refusal({ name }: Volume, code: ErrorCode, state: string, expected: string): PlinthError {
  return new PlinthError(code, `Cannot mount volume ${name}: ${state}, expected ${expected}`);
}

function refuse(volume: Volume, code: ErrorCode, state: string, expected: string): Decision {
  return { kind: 'refused', problem: refusal(volume, code, state, expected) };
}
