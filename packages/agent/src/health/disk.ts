import { basename } from 'node:path';
import { type Finding, fail, passIf, unknown } from '../checks/check.ts';
import { HOST_MOUNTS } from '../integrity/root-checks.ts';
import { parseKeyValues } from '../kernel/key-values.ts';
import { isWritable, type MountInfo, mountHolding, parseMountInfo } from '../kernel/mountinfo.ts';
import { parsePressure } from '../kernel/pressure.ts';
import { type FileSystemUsage, readText, type Sys } from '../sys/sys.ts';
import { type HealthRule, type NodeView, percent } from './rule.ts';

const DISK_FILE_SYSTEMS = ['ext4', 'xfs', 'btrfs'];
const FREE_SHARE_MINIMUM = 0.05;
/** Share of five minutes in which every task waited for a disk, above which nothing on the node keeps its deadlines. */
const IO_STALL_PERCENT_MAXIMUM = 50;
const IO_PRESSURE = '/proc/pressure/io';

export const diskRules: readonly HealthRule<NodeView>[] = [
  {
    id: 'var-disk',
    expected: 'a file system on a disk',
    source: HOST_MOUNTS,
    cause:
      'There was no room on the disk, its file system could not be repaired, or the TPM did not open it: all data of the node is lost at reboot.',
    fix: 'Look at the console of this boot: /var could not be made, opened, checked or mounted. "plinth var show" tells whether the TPM opens it.',
    observe: async ({ sys }) => judgeVarDisk(await varMount(sys)),
  },
  {
    id: 'var-writable',
    expected: 'mounted writable',
    source: HOST_MOUNTS,
    cause: 'The kernel saw an error of the file system and mounted it read-only to save what is there.',
    fix: 'Reboot the node, which checks the file system; replace the disk if it happens again.',
    critical: true,
    observe: async ({ sys }) => judgeVarWritable(await varMount(sys)),
  },
  {
    id: 'var-errors',
    expected: 'no error recorded in the file system',
    source: '/sys/fs/ext4/*/errors_count',
    cause: 'The disk gave wrong data or none, or memory is faulty.',
    fix: 'Look for I/O errors of the disk in the kernel log, reboot to check the file system, and replace a failing disk.',
    observe: async ({ sys }) => {
      const mount = await varMount(sys);
      if (mount?.fileSystem !== 'ext4') return unknown('/var is no ext4, which alone keeps a count');
      // By the kernel's own name of the device: that of an encrypted /var is none of a mapped device's other names.
      const uevent = parseKeyValues((await readText(sys, `/sys/dev/block/${mount.device}/uevent`)) ?? '');
      const folder = `/sys/fs/ext4/${uevent.get('DEVNAME') ?? basename(mount.source)}`;
      return judgeErrors(
        await readText(sys, `${folder}/errors_count`),
        await readText(sys, `${folder}/last_error_func`),
      );
    },
  },
  {
    id: 'var-space',
    expected: `at least ${percent(FREE_SHARE_MINIMUM)} of bytes and inodes free`,
    source: 'statfs /var',
    cause: 'Images, logs or the data of pods have filled the disk faster than the kubelet cleans up.',
    fix: 'Remove images and containers that are not used, or give the node a larger disk.',
    critical: true,
    observe: async ({ sys }) => judgeSpace(await sys.usage('/var')),
  },
  {
    id: 'io-stalls',
    expected: `all tasks wait for disks less than ${IO_STALL_PERCENT_MAXIMUM} % of five minutes`,
    source: IO_PRESSURE,
    cause: 'The disk is too slow for what runs here, or fails; etcd loses its leader first.',
    fix: 'Move workloads that write much away, or give the node a faster disk.',
    observe: async ({ sys }) => judgeStalls((await sys.readFile(IO_PRESSURE)).toString('utf8')),
  },
];

async function varMount(sys: Sys): Promise<MountInfo | undefined> {
  const mount = mountHolding(parseMountInfo((await sys.readFile(HOST_MOUNTS)).toString('utf8')), '/var');
  return mount?.target === '/var' ? mount : undefined;
}

/** judgeVarDisk: what is in memory is lost at reboot. */
export function judgeVarDisk(mount: Pick<MountInfo, 'fileSystem' | 'source'> | undefined): Finding {
  if (!mount) return fail('/var is not mounted');
  const onDisk = DISK_FILE_SYSTEMS.includes(mount.fileSystem);
  return passIf(
    onDisk,
    onDisk ? `${mount.fileSystem} on ${mount.source}` : `${mount.fileSystem}, lost at reboot`,
  );
}

/** judgeVarWritable: a mount, or the file system below it, may have become read-only. */
export function judgeVarWritable(mount: MountInfo | undefined): Finding {
  if (!mount) return unknown('/var is not mounted');
  return passIf(isWritable(mount), isWritable(mount) ? 'writable' : 'read-only');
}

/** judgeErrors reads ext4's own count, which survives a reboot until fsck repairs (ext4(5)). */
export function judgeErrors(count: string | undefined, lastFunction: string | undefined): Finding {
  if (count === undefined || !/^\d+$/.test(count)) return unknown('the kernel does not tell a count');
  return passIf(
    Number(count) === 0,
    count === '0' ? 'none' : `${count}, the last one in ${lastFunction || 'an unknown place'}`,
  );
}

/** judgeSpace: bytes and inodes run out apart from each other. */
export function judgeSpace({
  sizeBytes,
  availableBytes,
  inodes,
  availableInodes,
}: Omit<FileSystemUsage, 'freeBytes'>): Finding {
  if (sizeBytes === 0) return unknown('the file system does not tell its size');
  const bytes = availableBytes / sizeBytes;
  // A file system that makes inodes on demand reports none.
  const inodeShare = inodes === 0 ? 1 : availableInodes / inodes;
  return passIf(
    bytes >= FREE_SHARE_MINIMUM && inodeShare >= FREE_SHARE_MINIMUM,
    `${percent(bytes)} of bytes and ${percent(inodeShare)} of inodes free`,
  );
}

/** judgeStalls reads the five-minute share of /proc/pressure/io (PSI). */
export function judgeStalls(pressure: string): Finding {
  const stalled = parsePressure(pressure);
  if (!stalled) return unknown('the kernel does not tell');
  const stallPercent = stalled.full300 * 100;
  return passIf(stallPercent < IO_STALL_PERCENT_MAXIMUM, `${stallPercent.toFixed(2)} % of five minutes`);
}
