import { type CheckResult, type CheckSpec, fail, pass, passIf, runCheck, unknown } from '../checks/check.ts';
import { HOST_MOUNTS, rootChecks } from '../integrity/root-checks.ts';
import { parseKeyValues } from '../kernel/key-values.ts';
import { mountHolding, parseMountInfo } from '../kernel/mountinfo.ts';
import { readText, type Sys } from '../sys/sys.ts';
import { SYSTEMCTL } from './versions.ts';

export type HealthState = 'healthy' | 'degraded' | 'unhealthy';

export interface Health {
  readonly state: HealthState;
  readonly checks: readonly CheckResult[];
}

const DISK_FILE_SYSTEMS = ['ext4', 'xfs', 'btrfs'];
const FREE_SHARE_MINIMUM = 0.05;
/** Share of a minute in which every task waited for memory, above which the node hardly works (Linux PSI). */
const STALL_PERCENT_MAXIMUM = 10;
const OS_RELEASE = '/usr/lib/os-release';

/**
 * collectHealth asks whether the node can do its work. Never throws.
 * @param own checks of plinthd about itself: its config and identity
 */
export async function collectHealth(sys: Sys, own: readonly CheckSpec[]): Promise<Health> {
  const rootCorruption = rootChecks().filter(({ id }) => id === 'root-corruption');
  const specs = [...own, units, containerd, varDisk, varSpace, clock, network, memory, ...rootCorruption];
  const checks = await Promise.all(specs.map((spec) => runCheck(spec, sys)));
  return { state: healthState(checks), checks };
}

/** healthState sums up. A check that is unknown leaves the node degraded: what was not seen is not healthy. */
export function healthState(checks: readonly Pick<CheckResult, 'verdict' | 'critical'>[]): HealthState {
  if (checks.some(({ verdict, critical }) => verdict === 'fail' && critical)) return 'unhealthy';
  return checks.length > 0 && checks.every(({ verdict }) => verdict === 'pass') ? 'healthy' : 'degraded';
}

const units: CheckSpec = {
  id: 'units',
  expected: 'no failed unit',
  source: 'systemctl list-units --state=failed',
  fix: 'Read the journal of the units named here.',
  async observe(sys) {
    const args = ['list-units', '--state=failed', '--plain', '--no-legend', '--no-pager', '--full'];
    const { exitCode, stdout, stderr } = await sys.run(SYSTEMCTL, args);
    if (exitCode !== 0) return unknown(`systemctl ended with ${exitCode}: ${stderr.trim()}`);
    const failed = stdout.split('\n').flatMap((line) => line.trim().split(/\s+/)[0] || []);
    return passIf(failed.length === 0, failed.length === 0 ? 'none failed' : failed.join(', '));
  },
};

const containerd: CheckSpec = {
  id: 'containerd',
  expected: 'active',
  source: 'systemctl show containerd.service',
  fix: 'Read the journal of containerd.service.',
  critical: true,
  async observe(sys) {
    const args = ['show', '--no-pager', '--property=LoadState,ActiveState,SubState', 'containerd.service'];
    const { exitCode, stdout, stderr } = await sys.run(SYSTEMCTL, args);
    if (exitCode !== 0) return unknown(`systemctl ended with ${exitCode}: ${stderr.trim()}`);
    const unit = parseKeyValues(stdout);
    const state = unit.get('ActiveState');
    if (state === undefined) return unknown('systemctl gives no state');
    if (unit.get('LoadState') === 'not-found') return fail('the unit does not exist');
    return passIf(state === 'active', `${state} (${unit.get('SubState') ?? ''})`);
  },
};

const varDisk: CheckSpec = {
  id: 'var-disk',
  expected: 'a file system on a disk',
  source: HOST_MOUNTS,
  fix: 'Look at the disk and at the console of this boot: /var could not be made, checked or mounted.',
  async observe(sys) {
    const mount = mountHolding(parseMountInfo((await sys.readFile(HOST_MOUNTS)).toString('utf8')), '/var');
    if (mount?.target !== '/var') return fail('/var is not mounted');
    const onDisk = DISK_FILE_SYSTEMS.includes(mount.fileSystem);
    return passIf(
      onDisk,
      onDisk ? `${mount.fileSystem} on ${mount.source}` : `${mount.fileSystem}, lost at reboot`,
    );
  },
};

const varSpace: CheckSpec = {
  id: 'var-space',
  expected: 'at least 5 % of bytes and inodes free',
  source: 'statfs /var',
  fix: 'Remove images and containers that are not used, or give the node a larger disk.',
  critical: true,
  async observe(sys) {
    const { sizeBytes, availableBytes, inodes, availableInodes } = await sys.usage('/var');
    if (sizeBytes === 0) return unknown('the file system does not tell its size');
    const bytes = availableBytes / sizeBytes;
    // A file system that makes inodes on demand reports none.
    const inodeShare = inodes === 0 ? 1 : availableInodes / inodes;
    return passIf(
      bytes >= FREE_SHARE_MINIMUM && inodeShare >= FREE_SHARE_MINIMUM,
      `${percent(bytes)} of bytes and ${percent(inodeShare)} of inodes free`,
    );
  },
};

const clock: CheckSpec = {
  id: 'clock',
  expected: 'not before the build of the image',
  source: OS_RELEASE,
  fix: 'Let the node reach a time server, or set the clock of the machine.',
  async observe(sys) {
    const builtMs = await sys.modifiedAtMs(OS_RELEASE);
    return passIf(sys.nowMs() >= builtMs, new Date(sys.nowMs()).toISOString());
  },
};

const network: CheckSpec = {
  id: 'network',
  expected: 'at least one address',
  source: 'getifaddrs',
  fix: 'Check the link and the DHCP server, or give the machine a static address.',
  critical: true,
  async observe(sys) {
    const addresses = sys.addresses();
    return addresses.length === 0 ? fail('no address but local ones') : pass(addresses.join(', '));
  },
};

const memory: CheckSpec = {
  id: 'memory',
  expected: 'at least 5 % available, all tasks stalled less than 10 % of a minute',
  source: '/proc/meminfo, /proc/pressure/memory',
  fix: 'Move workloads away or give the node more memory.',
  async observe(sys) {
    const info = (await sys.readFile('/proc/meminfo')).toString('utf8');
    const total = Number(/^MemTotal:\s+(\d+) kB$/m.exec(info)?.[1] ?? 0);
    const available = Number(/^MemAvailable:\s+(\d+) kB$/m.exec(info)?.[1] ?? 0);
    if (total === 0) return unknown('the kernel does not tell');
    const pressure = (await readText(sys, '/proc/pressure/memory')) ?? '';
    const stalled = Number(/^full .*\bavg60=([\d.]+)/m.exec(pressure)?.[1] ?? 0);
    return passIf(
      available / total >= FREE_SHARE_MINIMUM && stalled < STALL_PERCENT_MAXIMUM,
      `${percent(available / total)} available, stalled ${stalled} % of the last minute`,
    );
  },
};

function percent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}
