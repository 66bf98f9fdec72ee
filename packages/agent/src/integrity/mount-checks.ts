import type { Verdict } from '../checks/check.ts';
import { isWritable, type MountInfo, visibleMounts } from '../kernel/mountinfo.ts';
import { mountFlags, type PathKind, type PathRule } from './path-table.ts';

/** One mount with its judgement. */
export interface MountReport {
  readonly target: string;
  readonly source: string;
  readonly fileSystem: string;
  /** rw or ro, and nosuid, nodev, noexec where set. */
  readonly flags: readonly string[];
  readonly writable: boolean;
  readonly executable: boolean;
  readonly verdict: Verdict;
  /** Path of the rule applied, "" if none. */
  readonly rule: string;
  /** "" when the mount is as the rule wants it. */
  readonly difference: string;
}

/** File systems that hold nothing but the kernel's own state. */
export const KERNEL_FILE_SYSTEMS: readonly string[] = [
  'proc',
  'sysfs',
  'cgroup2',
  'securityfs',
  'efivarfs',
  'pstore',
  'bpf',
  'debugfs',
  'tracefs',
  'configfs',
  'fusectl',
  'selinuxfs',
  'binfmt_misc',
  'mqueue',
  'hugetlbfs',
  'nsfs',
];

const FILE_SYSTEMS: Record<PathKind, readonly string[] | undefined> = {
  'erofs-verity': ['erofs'],
  overlay: ['overlay'],
  disk: ['ext4', 'xfs', 'btrfs'],
  esp: ['vfat'],
  tmpfs: ['tmpfs', 'ramfs'],
  devices: ['devtmpfs', 'devpts'],
  kernel: KERNEL_FILE_SYSTEMS,
  automount: ['autofs'],
  workload: undefined,
};

/** judgeMounts compares every mount that can be reached with the path table; a mount without a rule fails. */
export function judgeMounts(
  mounts: readonly MountInfo[],
  rules: readonly PathRule[],
): readonly MountReport[] {
  return visibleMounts(mounts).map((mount) => {
    const rule = ruleFor(mount, rules);
    const difference = rule ? differences(mount, rule).join('; ') : 'no rule of the path table covers it';
    return {
      target: mount.target,
      source: mount.source,
      fileSystem: mount.fileSystem,
      flags: flagsOf(mount),
      writable: isWritable(mount),
      executable: !mount.mountOptions.includes('noexec'),
      verdict: difference === '' ? 'pass' : 'fail',
      rule: rule?.path ?? '',
      difference,
    };
  });
}

/** missingMounts names the rules whose path must always be mounted and is not. */
export function missingMounts(mounts: readonly MountInfo[], rules: readonly PathRule[]): readonly string[] {
  const targets = new Set(mounts.map(({ target }) => target));
  return rules
    .filter(({ mounted, path }) => mounted === 'always' && !targets.has(path))
    .map(({ path }) => path);
}

/** The rule for a path: the exact one, else the longest that covers it. An automount point also has its file system. */
function ruleFor(mount: MountInfo, rules: readonly PathRule[]): PathRule | undefined {
  const exact = rules.filter(({ path }) => path === mount.target);
  const fitting = exact.find((rule) => fits(mount, rule)) ?? exact[0];
  if (fitting) return fitting;
  return rules
    .filter(({ path }) => path.endsWith('/**') && mount.target.startsWith(path.slice(0, -2)))
    .sort((a, b) => b.path.length - a.path.length)[0];
}

function fits(mount: MountInfo, rule: PathRule): boolean {
  return FILE_SYSTEMS[rule.kind]?.includes(mount.fileSystem) ?? true;
}

function differences(mount: MountInfo, rule: PathRule): string[] {
  const found: string[] = [];
  if (!fits(mount, rule)) found.push(`it is ${mount.fileSystem}, expected ${rule.kind}`);
  if (!rule.writable && isWritable(mount)) found.push('it is writable, expected read-only');
  const flags = flagsOf(mount);
  const missing = rule.flags.filter((flag) => !flags.includes(flag));
  if (missing.length > 0) found.push(`it lacks ${missing.join(', ')}`);
  return found;
}

function flagsOf(mount: MountInfo): readonly string[] {
  const access = isWritable(mount) ? 'rw' : 'ro';
  return [access, ...mountFlags.filter((flag) => flag !== 'ro' && mount.mountOptions.includes(flag))];
}
