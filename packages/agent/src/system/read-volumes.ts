import type { MessageInitShape } from '@bufbuild/protobuf';
import type { VolumeSchema } from '@plinth/api';
import { dmsetup } from '../integrity/root-checks.ts';
import { parseKeyValues } from '../kernel/key-values.ts';
import type { MountInfo } from '../kernel/mountinfo.ts';
import { udevProperties } from '../kernel/udev-data.ts';
import { parseVerityStatus, parseVerityTable } from '../kernel/verity-table.ts';
import { listDir, readText, type Sys } from '../sys/sys.ts';
import type { Observation } from './observing.ts';

const BLOCK = '/sys/class/block';
const SECTOR_BYTES = 512n;
/** A disk has at most so many partitions and mappings that anyone reads. */
const VOLUMES_MAXIMUM = 256;

type VolumeShape = MessageInitShape<typeof VolumeSchema>;

/**
 * readVolumes describes the partitions of a disk and what the kernel makes of them, each once, in the order of their
 * numbers. A disk with a file system and no partition is a volume itself.
 */
export async function readVolumes(
  sys: Sys,
  disk: string,
  mounts: readonly MountInfo[],
  observation: Observation,
): Promise<VolumeShape[]> {
  const names = await listDir(sys, `${BLOCK}/${disk}`);
  const parts = names.filter((name) => name.startsWith(disk) && name !== disk).sort(byNumber);
  const found: VolumeShape[] = [];
  const seen = new Set<string>();
  const visit = async (name: string): Promise<void> => {
    if (seen.has(name) || found.length >= VOLUMES_MAXIMUM) return;
    seen.add(name);
    const volume = await readVolume(sys, name, disk, mounts, observation);
    if (name !== disk || volume.fileSystem !== '') found.push(volume);
    for (const holder of await listDir(sys, `${BLOCK}/${name}/holders`)) await visit(holder);
  };
  for (const part of parts) await visit(part);
  await visit(disk);
  return found;
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

async function readVolume(
  sys: Sys,
  name: string,
  disk: string,
  mounts: readonly MountInfo[],
  observation: Observation,
): Promise<VolumeShape> {
  const folder = `${BLOCK}/${name}`;
  const text = async (file: string) => (await readText(sys, `${folder}/${file}`).catch(() => '')) ?? '';
  const uevent = parseKeyValues(await text('uevent'));
  const device = `${uevent.get('MAJOR') ?? ''}:${uevent.get('MINOR') ?? ''}`;
  const udev = await udevProperties(sys, `b${device}`).catch(() => new Map<string, string>());
  const mapped = await text('dm/name');
  const kind =
    name === disk ? 'disk' : mapped === '' ? partitionKind(name) : mappedKind(await text('dm/uuid'));
  return {
    ...{ name, kind, label: mapped || uevent.get('PARTNAME') || '' },
    sizeBytes: BigInt(/^\d+$/.test(await text('size')) ? await text('size') : 0) * SECTOR_BYTES,
    fileSystem: udev.get('ID_FS_TYPE') ?? mountOf(mounts, device)?.fileSystem ?? '',
    uuid: udev.get('ID_FS_UUID') || udev.get('ID_PART_ENTRY_UUID') || uevent.get('PARTUUID') || '',
    mountedAt: mountOf(mounts, device)?.target ?? '',
    readOnly: (await text('ro')) === '1',
    madeOf: [...(await listDir(sys, `${folder}/slaves`))],
    ...(kind === 'verity' &&
      (await observation.attempt(`dm-verity of ${mapped}`, () => verity(sys, mapped)))),
  };
}

function mountOf(mounts: readonly MountInfo[], device: string): MountInfo | undefined {
  return mounts.find((mount) => mount.device === device);
}

function partitionKind(name: string): string {
  return /^md\d/.test(name) ? 'raid' : 'partition';
}

/** The id of a mapping begins with who made it: "CRYPT-VERITY-…", "CRYPT-LUKS2-…", "LVM-…". */
export function mappedKind(uuid: string): string {
  if (uuid.startsWith('CRYPT-VERITY-')) return 'verity';
  if (uuid.startsWith('CRYPT-')) return 'crypt';
  if (uuid.startsWith('LVM-')) return 'linear';
  return uuid.startsWith('mpath-') ? 'multipath' : 'mapped';
}

async function verity(sys: Sys, name: string): Promise<VolumeShape> {
  const table = parseVerityTable(await dmsetup(sys, 'table', name));
  if (!table) return {};
  const state = parseVerityStatus(await dmsetup(sys, 'status', name));
  return {
    verityRootHash: table.rootHash,
    verityState: state ?? '',
    veritySigned: table.signatureKey !== undefined,
  };
}
