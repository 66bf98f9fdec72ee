import { removeCertificates } from '@plinth/formats';
import { type Signer, signPe } from '@plinth/trust';
import { flipInSection } from '../tampering.ts';
import type { OsCopy, ReleaseRecipe } from './make-release.ts';

/** A unit of the system that is started with it. */
async function addUnit(os: OsCopy, name: string, lines: readonly string[]): Promise<void> {
  await os.write(`units/${name}.service`, `${lines.join('\n')}\n`);
  await os.link(`units/sysinit.target.wants/${name}.service`, `../${name}.service`);
}

/** A unit of the initrd that has to end before the root is left for. */
async function addInitrdUnit(os: OsCopy, name: string, lines: readonly string[]): Promise<void> {
  await os.write(`initrd/units/${name}.service`, `${lines.join('\n')}\n`);
  await os.link(`initrd/units/initrd.target.wants/${name}.service`, `../${name}.service`);
}

/**
 * Without a shell, a file of the kernel is written to by systemd-tmpfiles (tmpfiles.d(5), type "w"): once modules are loaded, for a
 * watchdog is one.
 */
function writing(path: string, text: string, confPath: string): readonly string[] {
  return [
    '[Unit]',
    `Description=Write ${text} to ${path}`,
    'DefaultDependencies=no',
    'After=systemd-modules-load.service systemd-udev-trigger.service',
    'Before=initrd.target',
    '[Service]',
    'Type=oneshot',
    `ExecStart=/usr/bin/systemd-tmpfiles --create ${confPath}`,
  ];
}

/** PID 1 stands still: it is in a group of its own that the kernel can freeze. */
const PID_1_FREEZER = '/sys/fs/cgroup/init.scope/cgroup.freeze';
const SYSRQ = '/proc/sysrq-trigger';

/** good is a version that differs in nothing but its number. */
export function good(version: string): ReleaseRecipe {
  return { version, what: 'nothing is otherwise' };
}

/** Releases that must not stay; what each does is the node's to find out. */
export const badRecipes = {
  kernelPanics: (version: string): ReleaseRecipe => ({
    version,
    what: 'the kernel finds no initrd program and panics',
    changeOs: (os) => os.replace('plinth.yaml', '\n  - ro\n', '\n  - ro\n  - rdinit=/nothing\n'),
  }),
  initrdPanics: (version: string): ReleaseRecipe => ({
    version,
    what: 'the kernel panics while the initrd runs',
    changeOs: async (os) => {
      const conf = 'tmpfiles.d/plinth-test.conf';
      await os.write(`initrd/${conf}`, `w ${SYSRQ} - - - - c\n`);
      await addInitrdUnit(os, 'plinth-test', writing(SYSRQ, 'c', `/usr/lib/${conf}`));
    },
  }),
  initrdHangs: (version: string): ReleaseRecipe => ({
    version,
    what: 'PID 1 of the initrd stands still',
    changeOs: async (os) => {
      const conf = 'tmpfiles.d/plinth-test.conf';
      await os.write(`initrd/${conf}`, `w ${PID_1_FREEZER} - - - - 1\n`);
      await addInitrdUnit(os, 'plinth-test', writing(PID_1_FREEZER, '1', `/usr/lib/${conf}`));
    },
  }),
  initHangs: (version: string): ReleaseRecipe => ({
    version,
    what: 'PID 1 of the system stands still',
    changeOs: async (os) => {
      await os.write('plinth/test.conf', `w ${PID_1_FREEZER} - - - - 1\n`);
      await addUnit(os, 'plinth-test', writing(PID_1_FREEZER, '1', '/usr/lib/plinth/test.conf'));
    },
  }),
  agentCrashes: (version: string): ReleaseRecipe => ({
    version,
    what: 'plinthd crashes whenever it starts',
    changeOs: (os) => os.write('units/plinthd.service.d/50-test.conf', '[Service]\nLimitAS=64M\n'),
  }),
  runtimeFails: (version: string): ReleaseRecipe => ({
    version,
    what: 'containerd never starts',
    changeOs: (os) =>
      os.write(
        'units/containerd.service.d/50-test.conf',
        '[Service]\nExecStart=\nExecStart=/usr/bin/containerd --config=/etc/nothing.toml\n',
      ),
  }),
  networkGone: (version: string): ReleaseRecipe => ({
    version,
    what: 'no link gets an address',
    changeOs: (os) =>
      os.write('network/10-test.network', '[Match]\nName=*\n[Link]\nActivationPolicy=always-down\n'),
  }),
  damagedUki: (version: string): ReleaseRecipe => ({
    version,
    what: 'a bit of the kernel is over, after it was signed',
    changeUki: async (uki) => flipInSection(uki, '.linux'),
  }),
  foreignUki: (version: string, foreign: Signer): ReleaseRecipe => ({
    version,
    what: 'its UKI is signed by a key that the firmware does not know',
    changeUki: (uki) => signPe(foreign, removeCertificates(uki)),
  }),
} as const;
