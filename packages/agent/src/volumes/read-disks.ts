import { HOST_MOUNTS } from '../integrity/root-checks.ts';
import { readDiskSerial } from '../kernel/disk-serial.ts';
import { parseKeyValues } from '../kernel/key-values.ts';
import { type MountInfo, parseMountInfo } from '../kernel/mountinfo.ts';
import { udevProperties } from '../kernel/udev-data.ts';
import { listDir, readText, type Sys } from '../sys/sys.ts';
import { SYSFS_SECTOR_BYTES } from '../system/list-disks.ts';

/** A partition as the kernel has it. */
export interface PartitionFact {
  /** "vdb1". */
  readonly name: string;
  /** "major:minor". */
  readonly device: string;
  /** Its name in the GPT, "" if it has none. */
  readonly label: string;
  /** Where it ends on the disk. */
  readonly endBytes: number;
  readonly holders: number;
}

/** A whole disk. What a device does not tell is "". */
export interface DiskFact {
  /** "vdb". */
  readonly name: string;
  readonly device: string;
  readonly sizeBytes: number;
  readonly serial: string;
  readonly wwid: string;
  /** The path it is attached by, as udev names it. */
  readonly path: string;
  readonly readOnly: boolean;
  readonly removable: boolean;
  /** Devices made of the whole disk: RAID, multipath, mappings. */
  readonly holders: number;
  readonly partitions: readonly PartitionFact[];
}

/** What volumes are decided by. */
export interface DisksSeen {
  readonly disks: readonly DiskFact[];
  readonly mounts: readonly MountInfo[];
}

const DISKS = '/sys/block';
const DISKS_MAXIMUM = 500;
/** Devices that are made of others, of memory or of files, and drives of media. */
const NOT_DISKS = /^(?:dm-|md|ram|zram|fd|sr|loop|nbd)\d/;

/** readDisks reads what the kernel and udev know now. Throws system errors; a disk that goes meanwhile is left out. */
export async function readDisks(sys: Sys): Promise<DisksSeen> {
  const mounts = parseMountInfo((await sys.readFile(HOST_MOUNTS)).toString('utf8'));
  const names = (await sys.readDir(DISKS)).filter((name) => !NOT_DISKS.test(name)).slice(0, DISKS_MAXIMUM);
  const disks: DiskFact[] = [];
  for (const name of names) {
    const disk = await readDisk(sys, name);
    if (disk) disks.push(disk);
  }
  return { disks, mounts };
}

async function readDisk(sys: Sys, name: string): Promise<DiskFact | undefined> {
  const folder = `${DISKS}/${name}`;
  const text = async (file: string) =>
    ((await readText(sys, `${folder}/${file}`).catch(() => '')) ?? '').trim();
  const sectors = Number(await text('size'));
  if (!(sectors > 0)) return undefined;
  const device = await text('dev');
  const udev = await udevProperties(sys, `b${device}`).catch(() => new Map<string, string>());
  const partitions: PartitionFact[] = [];
  for (const part of await listDir(sys, folder)) {
    if (!part.startsWith(name)) continue;
    const of = (file: string) => text(`${part}/${file}`);
    const [start, size] = [Number(await of('start')), Number(await of('size'))];
    partitions.push({
      ...{ name: part, device: await of('dev'), endBytes: (start + size) * SYSFS_SECTOR_BYTES },
      label: parseKeyValues(await of('uevent')).get('PARTNAME') ?? '',
      holders: (await listDir(sys, `${folder}/${part}/holders`)).length,
    });
  }
  return {
    ...{ name, device, sizeBytes: sectors * SYSFS_SECTOR_BYTES, partitions },
    serial: await readDiskSerial(sys, folder),
    wwid: (await text('wwid')) || (await text('device/wwid')),
    path: udev.get('ID_PATH') ?? '',
    readOnly: (await text('ro')) !== '0',
    removable: (await text('removable')) !== '0',
    holders: (await listDir(sys, `${folder}/holders`)).length,
  };
}
