import { type Finding, passIf, unknown } from '../checks/check.ts';
import { HOST_MOUNTS } from '../integrity/root-checks.ts';
import { parseMountInfo, visibleMounts } from '../kernel/mountinfo.ts';
import { readText, type Sys } from '../sys/sys.ts';
import type { HealthRule, MemberView } from './rule.ts';

/** What the kubelet enforces limits of pods with. */
const CONTROLLERS = ['cpu', 'cpuset', 'io', 'memory', 'pids'];
/** Settings that the kubelet demands (protectKernelDefaults) and that pods reach services by; os/sysctl.d sets them. */
const SETTINGS: Readonly<Record<string, string>> = {
  'net/ipv4/ip_forward': '1',
  'net/bridge/bridge-nf-call-iptables': '1',
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
};
/** Layers of containers, bridge and tunnel of the pod network, packet filter of services; os/modules-load.d loads them. */
const MODULES = ['overlay', 'bridge', 'br_netfilter', 'vxlan', 'nf_tables', 'nf_conntrack'];

export const kernelRules: readonly HealthRule<MemberView>[] = [
  {
    id: 'cgroup',
    expected: `cgroup v2 with ${CONTROLLERS.join(', ')}`,
    source: '/sys/fs/cgroup/cgroup.controllers',
    cause: 'The kernel was started with cgroup v1 or with a controller switched off.',
    fix: 'Boot the image with its own command line; something has changed it.',
    critical: true,
    observe: async ({ sys }) => {
      const mounts = visibleMounts(parseMountInfo((await sys.readFile(HOST_MOUNTS)).toString('utf8')));
      const fileSystem = mounts.find(({ target }) => target === '/sys/fs/cgroup')?.fileSystem;
      return judgeCgroup(fileSystem, (await readText(sys, '/sys/fs/cgroup/cgroup.controllers')) ?? '');
    },
  },
  {
    id: 'kernel-settings',
    expected: 'the settings that the kubelet and the pod network need',
    source: '/proc/sys',
    cause: 'A privileged pod changed a setting of the kernel, or systemd-sysctl failed at boot.',
    fix: 'Find the pod that writes to /proc/sys, then reboot the node.',
    observe: async ({ sys }) => judgeSettings(await readSettings(sys)),
  },
  {
    id: 'kernel-modules',
    expected: MODULES.join(', '),
    source: '/sys/module',
    cause: 'systemd-modules-load failed at boot; nothing can load a module later.',
    fix: 'Read the journal of systemd-modules-load.service and reboot the node.',
    observe: async ({ sys }) => judgeModules(await sys.readDir('/sys/module')),
  },
];

/** judgeCgroup: version 2 alone has all controllers in one tree (cgroups(7)). */
export function judgeCgroup(fileSystem: string | undefined, controllers: string): Finding {
  if (fileSystem === undefined) return unknown('/sys/fs/cgroup is not mounted');
  if (fileSystem !== 'cgroup2') return passIf(false, `${fileSystem}, expected cgroup2`);
  const has = controllers.split(' ');
  const missing = CONTROLLERS.filter((name) => !has.includes(name));
  return passIf(missing.length === 0, missing.length === 0 ? controllers : `without ${missing.join(', ')}`);
}

/** judgeSettings compares settings by name with what is needed; undefined: the kernel has no such setting. */
export function judgeSettings(settings: Readonly<Record<string, string | undefined>>): Finding {
  const wrong = Object.entries(SETTINGS).filter(([name, value]) => settings[name] !== value);
  if (wrong.length === 0) return passIf(true, `${Object.keys(SETTINGS).length} settings as needed`);
  const tell = ([name, value]: [string, string]) =>
    `${name.replaceAll('/', '.')} is ${settings[name] ?? 'absent'}, expected ${value}`;
  return passIf(false, wrong.map(tell).join('; '));
}

/** judgeModules looks for modules among those in the kernel. */
export function judgeModules(present: readonly string[]): Finding {
  const missing = MODULES.filter((name) => !present.includes(name));
  return passIf(missing.length === 0, missing.length === 0 ? 'all there' : `missing: ${missing.join(', ')}`);
}

async function readSettings(sys: Sys): Promise<Record<string, string | undefined>> {
  const found: Record<string, string | undefined> = {};
  for (const name of Object.keys(SETTINGS)) found[name] = await readText(sys, `/proc/sys/${name}`);
  return found;
}
