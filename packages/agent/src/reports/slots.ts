import { HOST_MOUNTS } from '../integrity/root-checks.ts';
import { EFI_LOADER, efiVariablePath, parseEfiText } from '../kernel/efi-variable.ts';
import { parseKeyValues } from '../kernel/key-values.ts';
import { mountHolding, parseMountInfo } from '../kernel/mountinfo.ts';
import { udevProperties } from '../kernel/udev-data.ts';
import { listDir, readBytes, readText, type Sys } from '../sys/sys.ts';
import { type BootEntryReport, parseBootEntry, sortBootEntries } from './boot-entries.ts';

export type PartitionRole = 'esp' | 'root' | 'root-verity' | 'root-verity-signature' | 'var' | 'other';

/** One partition of a disk. */
export interface PartitionReport {
  readonly device: string;
  readonly label: string;
  readonly uuid: string;
  readonly sizeBytes: number;
  readonly role: PartitionRole;
}

/** One place for a system image: the partitions of a root. */
export interface SlotReport {
  readonly name: string;
  /** "" when empty. */
  readonly version: string;
  readonly booted: boolean;
  readonly partitions: readonly PartitionReport[];
}

export interface SlotsReport {
  readonly slots: readonly SlotReport[];
  readonly otherPartitions: readonly PartitionReport[];
  readonly bootEntries: readonly BootEntryReport[];
  readonly espReadable: boolean;
  readonly selectedEntry: string;
}

const BLOCK = '/sys/class/block';
const ENTRIES = '/efi/EFI/Linux';
/** Label systemd-sysupdate gives to a partition without content (sysupdate.d(5)). */
const EMPTY_LABEL = '_empty';

/** Partition types by the Discoverable Partitions Specification (UAPI.2): x86-64, arm64, and those without one. */
const ROLE_BY_TYPE: Readonly<Record<string, PartitionRole>> = {
  'c12a7328-f81f-11d2-ba4b-00a0c93ec93b': 'esp',
  '4d21b016-b534-45c2-a9fb-5c16e091fd2d': 'var',
  '4f68bce3-e8cd-4db1-96e7-fbcaf984b709': 'root',
  '2c7357ed-ebd2-46d9-aec1-23d437ec2bf5': 'root-verity',
  '41092b05-9fc8-4523-994f-2def0408b176': 'root-verity-signature',
  'b921b045-1df0-41c3-af44-4c6f280d3fae': 'root',
  'df3300ce-d69f-4c92-978c-9bfb0f38d820': 'root-verity',
  '6db69de6-29f4-4758-a7a5-962190f00ce3': 'root-verity-signature',
};

/** collectSlots describes the partitions of all disks and the boot entries on the ESP. */
export async function collectSlots(sys: Sys): Promise<SlotsReport> {
  const partitions: PartitionReport[] = [];
  for (const device of await listDir(sys, BLOCK)) {
    const partition = await readPartition(sys, device);
    if (partition) partitions.push(partition);
  }
  const bootedDevices = await rootDevices(sys);
  const selected = await readBytes(sys, efiVariablePath('LoaderEntrySelected', EFI_LOADER));
  const selectedEntry = selected ? parseEfiText(selected) : '';
  const files = await sys.readDir(ENTRIES).catch(() => undefined); // reported as espReadable: false
  const entries = (files ?? []).flatMap((file) => parseBootEntry(file, selectedEntry) ?? []);
  return {
    ...groupSlots(partitions, bootedDevices),
    bootEntries: sortBootEntries(entries),
    espReadable: files !== undefined,
    selectedEntry,
  };
}

/**
 * groupSlots puts the n-th root, the n-th hash tree and the n-th signature together, in the order of the partition
 * numbers: that is how os/repart.d lays them out, and an empty slot has no other tie.
 */
export function groupSlots(
  partitions: readonly PartitionReport[],
  bootedDevices: ReadonlySet<string>,
): Pick<SlotsReport, 'slots' | 'otherPartitions'> {
  const ordered = [...partitions].sort((a, b) => a.device.localeCompare(b.device, 'en', { numeric: true }));
  const withRole = (role: PartitionRole) => ordered.filter((partition) => partition.role === role);
  const trees = withRole('root-verity');
  const signatures = withRole('root-verity-signature');
  const slots = withRole('root').map((root, index): SlotReport => {
    const rest = [trees[index], signatures[index]].filter((partition) => partition !== undefined);
    return {
      name: String.fromCharCode('a'.charCodeAt(0) + index),
      version: root.label === EMPTY_LABEL ? '' : (root.label.split('_')[1] ?? ''),
      booted: bootedDevices.has(root.device),
      partitions: [root, ...rest],
    };
  });
  const inSlot = new Set(slots.flatMap((slot) => slot.partitions));
  return { slots, otherPartitions: ordered.filter((partition) => !inSlot.has(partition)) };
}

async function readPartition(sys: Sys, device: string): Promise<PartitionReport | undefined> {
  const uevent = parseKeyValues((await readText(sys, `${BLOCK}/${device}/uevent`)) ?? '');
  if (uevent.get('DEVTYPE') !== 'partition') return undefined;
  const udev = await udevProperties(sys, `b${uevent.get('MAJOR')}:${uevent.get('MINOR')}`);
  const sectors = Number((await readText(sys, `${BLOCK}/${device}/size`)) ?? 0);
  // udev reads the table from the disk; what the kernel read of it may be older than an update.
  const label = udev.get('ID_PART_ENTRY_NAME') ?? uevent.get('PARTNAME') ?? '';
  return {
    device,
    label,
    uuid: udev.get('ID_PART_ENTRY_UUID') ?? uevent.get('PARTUUID') ?? '',
    // The kernel counts in units of 512 bytes here, whatever the disk's sectors are (Linux ABI, sysfs-block).
    sizeBytes: sectors * 512,
    role: ROLE_BY_TYPE[udev.get('ID_PART_ENTRY_TYPE') ?? ''] ?? roleByLabel(label),
  };
}

/** Labels of a Plinth disk, for the moments before udev has looked at it. */
function roleByLabel(label: string): PartitionRole {
  if (label === 'esp') return 'esp';
  if (label === 'var') return 'var';
  if (/_verity_sig$/.test(label)) return 'root-verity-signature';
  if (/_verity$/.test(label)) return 'root-verity';
  return /^plinth_[^_]+$/.test(label) ? 'root' : 'other';
}

/** Devices below the root: the data and hash partitions of its dm-verity device, or the root's own. */
async function rootDevices(sys: Sys): Promise<ReadonlySet<string>> {
  const mounts = parseMountInfo((await sys.readFile(HOST_MOUNTS)).toString('utf8'));
  const root = mountHolding(mounts, '/');
  if (!root) return new Set();
  return new Set(await listDir(sys, `/sys/dev/block/${root.device}/slaves`));
}
