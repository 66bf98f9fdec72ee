import { VOLUME_DEFINITIONS, volumeUnit } from '@plinth/config';
import { SYSTEMCTL } from '../reports/versions.ts';
import { SYSTEMD_RUN, transientUnit } from '../sys/transient-unit.ts';

export const SYSTEMD_REPART = '/usr/bin/systemd-repart';
export const E2FSCK = '/usr/sbin/e2fsck';

/** A program with its arguments. */
export type Command = readonly [program: string, args: readonly string[]];

/** Each may write to one disk and nothing else. */
const FENCE = [
  'CapabilityBoundingSet=CAP_SYS_ADMIN CAP_DAC_OVERRIDE',
  'RestrictAddressFamilies=AF_UNIX AF_NETLINK',
  'IPAddressDeny=any',
  'ProtectClock=yes',
  'ProtectControlGroups=yes',
  'ProtectHostname=yes',
  'ProtectKernelLogs=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelTunables=yes',
  'UMask=0077',
  'MemoryMax=1G',
  'TasksMax=32',
  'DevicePolicy=closed',
] as const;

/** Longest that a step takes: e2fsck of a large disk after a power cut. plinthd waits a little longer. */
export const STEP_SECONDS = 1800;

/** A fixed name for each volume: the service manager refuses a second step while one runs. */
export function stepUnit(name: string): string {
  return `plinth-volume-${name}.service`;
}

function inUnit(
  name: string,
  devices: readonly string[],
  command: Command,
  more: readonly string[] = [],
): Command {
  const [program, args] = command;
  const properties = [
    ...FENCE,
    ...devices.map((device) => `DeviceAllow=${device} rw`),
    `TimeoutStartSec=${STEP_SECONDS}`,
    ...more,
  ];
  const description = `Volume ${name}`;
  return [
    SYSTEMD_RUN,
    transientUnit({
      unit: stepUnit(name),
      description,
      type: 'oneshot',
      properties,
      command: [program, ...args],
    }),
  ];
}

/** systemd-repart formats through a loop device, whose number it is given by the kernel. */
const LOOPS = ['/dev/loop-control', 'block-loop'] as const;

/**
 * repartCommand makes the volume on a disk that was proven blank, or fills one that has grown.
 * @param empty `require`: no partition table may be there; `refuse`: one has to be
 */
export function repartCommand(name: string, disk: string, empty: 'require' | 'refuse'): Command {
  const args = [
    ...['--dry-run=no', `--empty=${empty}`, '--no-pager', '--json=off'],
    // By default ids come from that of the machine: all volumes of a node would have the same.
    '--seed=random',
    `--definitions=${VOLUME_DEFINITIONS}/${name}`,
    disk,
  ];
  // It asks for the sectors of the new partition by the partition's own node, which has a number of another group.
  return inUnit(name, [disk, ...LOOPS, 'block-blkext'], [SYSTEMD_REPART, args]);
}

/** checkCommand repairs what can be repaired without a person. Exit code 1: errors were corrected (e2fsck(8)). */
export function checkCommand(name: string, partition: string): Command {
  return inUnit(name, [partition], [E2FSCK, ['-p', partition]], ['SuccessExitStatus=1']);
}

/** isDamage: errors are left (4), whatever else was the matter; other codes say that e2fsck could not do its work (e2fsck(8)). */
export function isDamage(exitCode: number): boolean {
  return exitCode < 16 && (exitCode & 4) !== 0;
}

/** mountCommands read the unit, mount, and let the file system fill its partition. */
export function mountCommands(name: string): readonly Command[] {
  const unit = volumeUnit(name);
  return [
    [SYSTEMCTL, ['daemon-reload']],
    [SYSTEMCTL, ['start', `${unit}.mount`]],
    [SYSTEMCTL, ['start', `systemd-growfs@${unit}.service`]],
  ];
}

/** unmountCommand is refused by the kernel for what is in use. */
export function unmountCommand(name: string): Command {
  return [SYSTEMCTL, ['stop', `${volumeUnit(name)}.mount`]];
}
