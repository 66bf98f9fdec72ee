import { basename, dirname } from 'node:path';
import { PlinthError } from '@plinth/base';
import { HOST_MOUNTS } from '../../integrity/root-checks.ts';
import { mountHolding, parseMountInfo } from '../../kernel/mountinfo.ts';
import { systemdUnits } from '../../kubernetes/units/run-unit.ts';
import { imageVersion } from '../../reports/versions.ts';
import { listDir, readText, type Sys } from '../../sys/sys.ts';
import { type BlockFile, openBlockFile } from './block-file.ts';
import { writeOneShot } from './do-step.ts';
import { dropName } from './drop-name.ts';
import { openEsp } from './esp.ts';
import { pairSlots, readTables, type SlotMachine } from './slot-machine.ts';

const BLOCK = '/sys/class/block';
/** In the gap between the partition table and the first partition, which begins at 1 MiB. */
const GAP_BYTES = 512 * 1024;
const BOOT_ENTRIES = '/efi/EFI/Linux';
/** The kernel counts in units of 512 bytes here, whatever the disk's sectors are (Linux ABI, sysfs-block). */
const SYSFS_SECTOR_BYTES = 512;
/** Disks whose names plinthd may write; the same names stand in build/runtime-flags.ts. */
const DISK_NAME = /^(?:vd[a-z]+|sd[a-z]+|xvd[a-z]+|nvme\d+n\d+|mmcblk\d+)$/;

type MachineSys = Pick<Sys, 'readFile' | 'readDir' | 'readLink' | 'run' | 'nowMs'>;

/**
 * openNodeMachine is the disk that the system runs from: the one below the dm-verity device of "/".
 * @throws update/disk-unreadable
 */
export async function openNodeMachine(sys: MachineSys): Promise<SlotMachine> {
  const { disk, devices } = await rootDisk(sys);
  const text = async (path: string) => ((await readText(sys, path)) ?? '').trim();
  const sizeOf = async (device: string) => Number(await text(`${BLOCK}/${device}/size`)) * SYSFS_SECTOR_BYTES;
  const openDevice = async (device: string, writable: boolean, rest = {}): Promise<BlockFile> =>
    openBlockFile({ path: `/dev/${device}`, writable, sizeBytes: await sizeOf(device), ...rest });
  const deviceOf = (number: number) => `${disk}${/\d$/.test(disk) ? 'p' : ''}${number}`;
  const sectorBytes = Number(await text(`${BLOCK}/${disk}/queue/logical_block_size`)) || SYSFS_SECTOR_BYTES;
  const numberOf = async (device: string) => Number(await text(`${BLOCK}/${device}/partition`));

  const machine: SlotMachine = {
    sectorBytes,
    openDisk: (writable) => openDevice(disk, writable, { flushAtBytes: GAP_BYTES }),
    openPartition: (number, writable) => openDevice(deviceOf(number), writable),
    partitionPath: (number) => `/dev/${deviceOf(number)}`,
    isHeld: async (number) => (await listDir(sys, `${BLOCK}/${deviceOf(number)}/holders`)).length > 0,
    esp: openEsp(BOOT_ENTRIES, () => flushDisk(machine)),
    bootOnce: (file) => writeOneShot(file),
    dropName: (name, keeps) => dropName(machine, systemdUnits(sys), { name, keeps }),
    async booted() {
      const numbers = await Promise.all(devices.map(numberOf));
      const probe = await machine.openDisk(false);
      try {
        const pair = pairSlots((await readTables(machine, probe)).partitions);
        const slot = pair.find(({ root }) => numbers.includes(root.number));
        const version = await imageVersion(sys);
        if (slot && version !== '') return { rootNumber: slot.root.number, version };
      } finally {
        await probe.close();
      }
      const state = `its root is on ${devices.join(' and ') || 'nothing'} of ${disk}`;
      throw unreadable(`Cannot tell what runs: ${state}, expected a slot with a version`);
    },
  };
  return machine;
}

async function flushDisk(machine: SlotMachine): Promise<void> {
  const disk = await machine.openDisk(true);
  try {
    await disk.flush();
  } finally {
    await disk.close();
  }
}

/** The disk and the partitions that "/" is on. */
async function rootDisk(
  sys: MachineSys,
): Promise<{ readonly disk: string; readonly devices: readonly string[] }> {
  const mounts = parseMountInfo((await sys.readFile(HOST_MOUNTS)).toString('utf8'));
  const root = mountHolding(mounts, '/');
  const devices = root ? await listDir(sys, `/sys/dev/block/${root.device}/slaves`) : [];
  const [first] = devices;
  if (first === undefined)
    throw unreadable('Cannot find the disk of "/": it is on no device of its own, expected dm-verity');
  // …/block/vda/vda2
  const disk = basename(dirname(await sys.readLink(`${BLOCK}/${first}`)));
  if (!DISK_NAME.test(disk)) throw unreadable(`Cannot use the disk "${disk}": expected one of a known kind`);
  return { disk, devices };
}

function unreadable(message: string): PlinthError {
  return new PlinthError('update/disk-unreadable', message);
}
