import type { MessageInitShape } from '@bufbuild/protobuf';
import type { FileSystemMountSchema, ListMountsResponseSchema } from '@plinth/api';
import { inParallel } from '../in-parallel.ts';
import { KERNEL_FILE_SYSTEMS } from '../integrity/mount-checks.ts';
import { HOST_MOUNTS } from '../integrity/root-checks.ts';
import { type MountInfo, parseMountLine, visibleMounts } from '../kernel/mountinfo.ts';
import type { FileSystemUsage, Sys } from '../sys/sys.ts';
import { openObservation, whyNot } from './observing.ts';

const MOUNTS_MAXIMUM = 5_000;
/** File systems whose use is asked, each once. */
const USAGES_MAXIMUM = 500;
const AT_ONCE = 4;
/** They lie on a disk of the machine or in its memory, so that asking cannot hang on another machine or program. */
const SIZED = [
  ...['btrfs', 'devtmpfs', 'erofs', 'exfat', 'ext2', 'ext3', 'ext4', 'f2fs', 'iso9660', 'overlay'],
  ...['ramfs', 'squashfs', 'tmpfs', 'vfat', 'xfs'],
];
const WITHOUT_SIZE = ['autofs', 'cgroup', 'devpts', 'rpc_pipefs', ...KERNEL_FILE_SYSTEMS];
/** What only the kernel and the device manager look at. */
const OF_KERNEL = ['devtmpfs', 'nsfs', ...WITHOUT_SIZE];
/** What containerd, the kubelet and services mount for those that they run. */
const OF_WORKLOADS = [
  '/run/containerd/',
  '/run/credentials/',
  '/run/netns/',
  '/var/lib/containerd/',
  '/var/lib/kubelet/pods/',
];
const FOLDERS = /^(?:lowerdir|upperdir|workdir)\+?=/;

type MountShape = MessageInitShape<typeof FileSystemMountSchema>;

/** listMounts reads the mounts of the host and asks file systems of this machine for their use. */
export async function listMounts(
  sys: Sys,
  { all }: { readonly all: boolean },
): Promise<MessageInitShape<typeof ListMountsResponseSchema>> {
  const { attempt, notObserved } = openObservation();
  const mounts: MountInfo[] = [];
  let total = 0;
  await attempt('mounts', async () => {
    for await (const lines of sys.readLines(HOST_MOUNTS)) {
      for (const mount of lines.flatMap((line) => parseMountLine(line) ?? [])) {
        total++;
        if (mounts.length < MOUNTS_MAXIMUM && (all || isOfHost(mount))) mounts.push(mount);
      }
    }
  });
  // What another mount covers cannot be asked: the answer would be the upper one's.
  const visible = new Set(visibleMounts(mounts));
  const usages = await readUsages(sys, [...visible]);
  const shown = all ? mounts : [...visible];
  return {
    mounts: shown.map((mount) =>
      mountShape(mount, visible.has(mount) ? usages.get(mount.device) : undefined),
    ),
    total,
    notObserved,
  };
}

/** isOfHost leaves out what only the kernel or a workload looks at. */
export function isOfHost({ target, fileSystem }: Pick<MountInfo, 'target' | 'fileSystem'>): boolean {
  if (OF_KERNEL.includes(fileSystem)) return false;
  return !OF_WORKLOADS.some((folder) => target.startsWith(folder));
}

/** The use of each file system, or why there is none; "" when it has no size. */
type Usage = FileSystemUsage | string;

async function readUsages(sys: Sys, mounts: readonly MountInfo[]): Promise<ReadonlyMap<string, Usage>> {
  const first = new Map<string, MountInfo>();
  for (const mount of mounts) if (!first.has(mount.device)) first.set(mount.device, mount);
  const usages = new Map<string, Usage>();
  let asked = 0;
  await inParallel([...first.values()], AT_ONCE, async ({ device, target, fileSystem }) => {
    if (WITHOUT_SIZE.includes(fileSystem)) usages.set(device, '');
    else if (!SIZED.includes(fileSystem))
      usages.set(device, 'another machine or a program serves it, and may not answer');
    else if (asked >= USAGES_MAXIMUM) usages.set(device, `only ${USAGES_MAXIMUM} file systems are asked`);
    else {
      asked++;
      usages.set(device, await sys.usage(target).catch((reason: unknown) => whyNot(reason)));
    }
  });
  return usages;
}

function mountShape(mount: MountInfo, usage: Usage | undefined): MountShape {
  const { target, source, fileSystem, mountOptions, superOptions } = mount;
  return {
    ...{ target, source, fileSystem, options: [...mountOptions] },
    superOptions: superOptions.filter((option) => !FOLDERS.test(option)),
    ...(usage === undefined ? { usageUnread: 'another mount covers it' } : usageShape(usage)),
  };
}

function usageShape(usage: Usage): MountShape {
  if (typeof usage === 'string') return { usageUnread: usage };
  const { sizeBytes, availableBytes, freeBytes, inodes, availableInodes } = usage;
  // A file system of the kernel's own that says nothing of its size.
  if (sizeBytes === 0) return {};
  return {
    usage: {
      ...{ sizeBytes: BigInt(sizeBytes), availableBytes: BigInt(availableBytes) },
      usedBytes: BigInt(sizeBytes - freeBytes),
      ...{ inodes: BigInt(inodes), availableInodes: BigInt(availableInodes) },
    },
  };
}
