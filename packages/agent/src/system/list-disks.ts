import type { MessageInitShape } from '@bufbuild/protobuf';
import type { DiskSchema, DiskTrafficSchema, ListDisksResponseSchema } from '@plinth/api';
import { HOST_MOUNTS } from '../integrity/root-checks.ts';
import { readDiskSerial } from '../kernel/disk-serial.ts';
import { type MountInfo, parseMountInfo } from '../kernel/mountinfo.ts';
import { listDir, readText, type Sys } from '../sys/sys.ts';
import { type Observation, openObservation } from './observing.ts';
import { readVolumes } from './read-volumes.ts';
import type { AskableDisk } from './smart/ask-disks.ts';
import { type HealthOf, openDiskHealth } from './smart/disk-health.ts';

const DISKS = '/sys/block';
/** The kernel counts in units of 512 bytes here, whatever the disk's sectors are (Linux ABI, sysfs-block). */
export const SYSFS_SECTOR_BYTES = 512;
const DISKS_MAXIMUM = 500;
/** Devices that are made of others, or of memory. */
const NOT_DISKS = /^(?:dm-|md|ram|zram|fd|sr)\d/;

type DiskShape = Omit<MessageInitShape<typeof DiskSchema>, '$typeName' | '$unknown'>;
/** A disk, and what it can be asked in; undefined for one that cannot be asked for its health. */
type SeenDisk = DiskShape & { readonly speaks: AskableDisk['speaks'] | undefined };

/**
 * listDisks reads /sys, udev and the device mapper, and asks the disks for their health.
 * @param healthOf asks disks; default: for real
 */
export async function listDisks(
  sys: Sys,
  healthOf: HealthOf = openDiskHealth(sys),
): Promise<MessageInitShape<typeof ListDisksResponseSchema>> {
  const observation = openObservation();
  const { attempt, notObserved } = observation;
  const names = (await attempt('disks', () => sys.readDir(DISKS))) ?? [];
  const mounts =
    (await attempt('mounts', async () => parseMountInfo((await sys.readFile(HOST_MOUNTS)).toString()))) ?? [];
  const disks: SeenDisk[] = [];
  for (const name of names.filter((one) => !NOT_DISKS.test(one)).slice(0, DISKS_MAXIMUM)) {
    const disk = await attempt(`disk ${name}`, () => readDisk(sys, name, mounts, observation));
    if (disk) disks.push(disk);
  }
  const healths = await healthOf(
    disks.flatMap(({ name = '', speaks }) => (speaks ? [{ name, speaks }] : [])),
  );
  return {
    disks: disks.map(({ speaks: _, ...disk }) => ({ ...disk, ...healths.get(disk.name ?? '') })),
    notObserved,
  };
}

/** Undefined for a device without a medium. */
async function readDisk(
  sys: Sys,
  name: string,
  mounts: readonly MountInfo[],
  observation: Observation,
): Promise<SeenDisk | undefined> {
  const folder = `${DISKS}/${name}`;
  const present = new Set([
    ...(await listDir(sys, folder)),
    ...(await listDir(sys, `${folder}/device`)).map((file) => `device/${file}`),
  ]);
  // Most drivers lack most files, and each failure costs more than a file. A driver may refuse single ones (EINVAL, EIO) too.
  const text = async (file: string) =>
    present.has(file) || file.startsWith('queue/')
      ? ((await readText(sys, `${folder}/${file}`).catch(() => '')) ?? '').trim()
      : '';
  const sectors = Number(await text('size'));
  if (!(sectors > 0)) return undefined;
  const transport = diskTransport(name, await sys.readLink(folder).catch(() => ''));
  const failed = await text('device/ioerr_cnt');
  const celsius = await temperature(sys, folder);
  const traffic = parseTraffic(await text('stat'));
  const vendor = await text('device/vendor');
  const speaks = tongueOf(transport, vendor);
  return {
    ...{ name, transport, sizeBytes: BigInt(sectors) * BigInt(SYSFS_SECTOR_BYTES) },
    // virtio and PCI give a number for the maker, which says nothing to people.
    model: [vendor.startsWith('0x') ? '' : vendor, await text('device/model')]
      .filter((one) => one !== '')
      .join(' '),
    serial: await readDiskSerial(sys, folder),
    wwid: (await text('wwid')) || (await text('device/wwid')),
    firmware: (await text('device/firmware_rev')) || (await text('device/rev')),
    rotational: (await text('queue/rotational')) === '1',
    removable: (await text('removable')) === '1',
    readOnly: (await text('ro')) === '1',
    sectorBytes: Number(await text('queue/logical_block_size')) || 0,
    state: await text('device/state'),
    ...(/^0x[0-9a-f]+$/.test(failed) && { failedCommands: BigInt(failed) }),
    ...(celsius !== undefined && { celsius }),
    ...{ speaks, smartUnread: smartUnread(transport) },
    ...(traffic && { traffic }),
    volumes: await readVolumes(sys, name, mounts, observation),
  };
}

/** diskTransport reads how a disk is attached from the place of its device in /sys/devices. */
export function diskTransport(name: string, link: string): string {
  if (/^loop\d/.test(name)) return 'loop';
  if (/^nvme/.test(name)) return 'nvme';
  if (/^mmcblk/.test(name)) return 'mmc';
  if (/\/virtio\d+\//.test(link)) return 'virtio';
  if (/\/usb\d+\//.test(link)) return 'usb';
  if (/\/ata\d+\//.test(link)) return 'sata';
  return /\/host\d+\/|\/target\d/.test(link) ? 'scsi' : 'other';
}

/** A disk of ATA says so in the place of its maker, behind whatever controller: libata and those of SAS translate for it. */
function tongueOf(transport: string, vendor: string): AskableDisk['speaks'] | undefined {
  if (transport === 'nvme') return 'nvme';
  return vendor === 'ATA' && (transport === 'sata' || transport === 'scsi') ? 'ata' : undefined;
}

/** Why a disk that cannot be asked was not. */
function smartUnread(transport: string): string {
  if (transport === 'virtio' || transport === 'loop') return 'a virtual disk has no forecast of its own';
  return `a disk of the kind "${transport}" that is neither NVMe nor ATA is not asked`;
}

/** parseTraffic reads /sys/block/DISK/stat (Linux Documentation/block/stat.rst); undefined for another shape. */
export function parseTraffic(text: string): MessageInitShape<typeof DiskTrafficSchema> | undefined {
  const fields = text.trim().split(/\s+/);
  if (fields.length < 11 || fields.some((field) => !/^\d+$/.test(field))) return undefined;
  const of = (index: number) => BigInt(fields[index] ?? 0);
  const bytes = BigInt(SYSFS_SECTOR_BYTES);
  return {
    ...{ reads: of(0), readBytes: of(2) * bytes, writes: of(4), writtenBytes: of(6) * bytes },
    ...{ inFlight: Number(of(8)), busyMs: of(9) },
  };
}

/** NVMe disks and the module "drivetemp" tell their temperature in thousandths of a degree. */
async function temperature(sys: Sys, folder: string): Promise<number | undefined> {
  const direct = (await listDir(sys, `${folder}/device`).catch(() => [])).filter((name) =>
    /^hwmon\d/.test(name),
  );
  const below = await listDir(sys, `${folder}/device/hwmon`).catch(() => []);
  const [first] = [...direct, ...below.map((name) => `hwmon/${name}`)];
  if (first === undefined) return undefined;
  const text = await readText(sys, `${folder}/device/${first}/temp1_input`).catch(() => undefined);
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) / 1000 : undefined;
}
