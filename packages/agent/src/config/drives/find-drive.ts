import { errorCode, listDir, type Sys } from '../../sys/sys.ts';
import { type ByteSource, boundedSource, type DriveFiles, DriveProblem } from './byte-source.ts';
import { openFat } from './fat.ts';
import { openIso9660 } from './iso9660.ts';

/** A config drive: which system's, and its files by the names that system has for them. */
export interface ConfigDrive {
  readonly kind: 'nocloud' | 'config-2';
  /** "vdb". */
  readonly device: string;
  readonly files: Readonly<Record<string, Buffer>>;
}

export type FoundDrive =
  | { readonly kind: 'given'; readonly drive: ConfigDrive }
  | { readonly kind: 'none' }
  /** There is one that cannot be used. */
  | { readonly kind: 'unusable'; readonly source: ConfigDrive['kind']; readonly why: string };

const FILE_LIMIT_BYTES = 256 * 1024;
const DEVICES_LIMIT = 64;
/** Made of other devices, or of memory: whoever plugs in a drive, plugs in none of these. */
const NO_DRIVES = /^(?:dm-|loop|ram|zram|md|nbd|mtdblock|fd)\d/;

/** What each system writes on its drive; the name of the volume is compared without regard to case. */
const SYSTEMS = [
  {
    kind: 'nocloud',
    label: 'cidata',
    folder: [],
    files: ['user-data', 'meta-data', 'network-config', 'vendor-data'],
  },
  {
    kind: 'config-2',
    label: 'config-2',
    folder: ['openstack', 'latest'],
    files: ['user_data', 'meta_data.json', 'network_data.json', 'vendor_data.json'],
  },
] as const;

/**
 * findDrive looks for a config drive among the drives of the machine: an ISO 9660 or FAT volume named "cidata" (NoCloud) or
 * "config-2" (OpenStack). The volumes are read here, in bounds, and never mounted. Two of them are a mistake: nothing says
 * which one counts. Never throws.
 */
export async function findDrive(sys: Pick<Sys, 'readDir' | 'readRange'>): Promise<FoundDrive> {
  const names = await listDir(sys, '/sys/class/block').catch(() => []);
  const devices = names.filter((name) => !NO_DRIVES.test(name)).slice(0, DEVICES_LIMIT);
  const found: { readonly device: string; readonly outcome: Exclude<FoundDrive, { kind: 'none' }> }[] = [];
  for (const device of devices) {
    // A volume that begins where its drive does is seen as the first partition again.
    if (found.some((before) => isPartOf(device, before.device))) continue;
    const outcome = await readDrive(sys, device);
    if (outcome) found.push({ device, outcome });
  }
  const [first, second] = found;
  if (!first) return { kind: 'none' };
  if (!second) return first.outcome;
  const source = first.outcome.kind === 'given' ? first.outcome.drive.kind : first.outcome.source;
  const which = found.map(({ device }) => device).join(' and ');
  return { kind: 'unusable', source, why: `${which} both are config drives, expected one` };
}

/** Whether a device is a partition of a drive: sda1 of sda, nvme0n1p1 of nvme0n1; sdaa and nvme0n10 are drives of their own. */
function isPartOf(device: string, drive: string): boolean {
  return (
    device.startsWith(drive) && (/\d$/.test(drive) ? /^p\d+$/ : /^\d+$/).test(device.slice(drive.length))
  );
}

async function readDrive(
  sys: Pick<Sys, 'readRange'>,
  device: string,
): Promise<Exclude<FoundDrive, { kind: 'none' }> | undefined> {
  const source = boundedSource((offset, length) => sys.readRange(`/dev/${device}`, offset, length));
  const volume = await openVolume(source);
  const system = SYSTEMS.find(({ label }) => label === volume?.label.toLowerCase());
  if (!volume || !system) return undefined;
  const { kind, folder } = system;
  try {
    const files: Record<string, Buffer> = {};
    for (const name of system.files) {
      const bytes = await volume.readFile([...folder, name], FILE_LIMIT_BYTES);
      if (bytes) files[name] = bytes;
    }
    return { kind: 'given', drive: { kind, device, files } };
  } catch (reason) {
    const why =
      reason instanceof DriveProblem ? reason.message : `it cannot be read: ${errorCode(reason) || reason}`;
    return { kind: 'unusable', source: kind, why: `${device}: ${why}` };
  }
}

/** A drive that holds neither, is damaged before it says its name, has no medium or may not be read is none of ours. */
async function openVolume(source: ByteSource): Promise<DriveFiles | undefined> {
  for (const open of [openIso9660, openFat]) {
    const volume = await open(source).catch(() => undefined);
    if (volume) return volume;
  }
  return undefined;
}
