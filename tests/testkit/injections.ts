import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExtraDrive } from '@plinth/local';
import type { Toolbox } from '@plinth/toolbox';
import { makeFatDrive } from './config-drives.ts';
import type { DiskCopy } from './disk-copy.ts';
import { type Esp, openEsp } from './esp.ts';
import { ukiPath } from './tampering.ts';

/** What every injected unit prints when it runs, before the name of the way it came in. */
export const MARKER = 'injected-by-';

/** What an attacker would like to tell the kernel and systemd. */
export const HOSTILE_ARGUMENTS = [
  'systemd.import_credentials=yes',
  'systemd.debug_shell=ttyS0',
  'systemd.unit=emergency.target',
  'rd.systemd.unit=emergency.target',
  'init=/bin/sh',
];

/**
 * Credentials that add a unit and start it with the system (systemd.system-credentials(7)). The unit prints its marker
 * without a shell: mount(8) names the option it does not know.
 */
function unitCredentials(way: string): Record<string, string> {
  const service = [
    '[Unit]',
    'DefaultDependencies=no',
    '[Service]',
    'Type=oneshot',
    `ExecStart=/usr/bin/mount --${MARKER}${way}`,
    'StandardError=file:/dev/console',
    '',
  ];
  return {
    [`systemd.extra-unit.${MARKER}${way}.service`]: service.join('\n'),
    [`systemd.unit-dropin.basic.target~${way}`]: `[Unit]\nWants=${MARKER}${way}.service\n`,
  };
}

/** smbiosInjections gives OEM strings with a unit, and with arguments for the boot loader and the UKI. */
export function smbiosInjections(): string[] {
  const credentials = Object.entries(unitCredentials('smbios')).map(
    ([name, text]) => `io.systemd.credential.binary:${name}=${Buffer.from(text).toString('base64')}`,
  );
  const extra = HOSTILE_ARGUMENTS.join(' ');
  return [
    ...credentials,
    `io.systemd.stub.kernel-cmdline-extra=${extra}`,
    `io.systemd.boot.kernel-cmdline-extra=${extra}`,
  ];
}

/**
 * firmwareInjections gives firmware files with a unit. QEMU takes names of 55 characters at most, so it is one that
 * the system starts anyway: a /tmp from which programs run.
 */
export function firmwareInjections(): Record<string, string> {
  const mount = ['[Mount]', 'What=tmpfs', 'Where=/tmp', 'Type=tmpfs', 'Options=mode=1777', ''];
  return { 'opt/io.systemd.credentials/systemd.extra-unit.tmp.mount': mount.join('\n') };
}

/** injectIntoEsp adds what a boot loader without Secure Boot would take from the ESP, and opens the editor of its menu. */
export async function injectIntoEsp(toolbox: Toolbox, disk: DiskCopy, scratch: string): Promise<void> {
  const esp = openEsp(toolbox, disk);
  const uki = await ukiPath(esp);
  const addon = await makeAddon(toolbox, scratch);
  for (const [name, text] of Object.entries(unitCredentials('esp'))) {
    await esp.write(`loader/credentials/${name}.cred`, text);
    await esp.write(`${uki}.extra.d/${name}.cred`, text);
  }
  await esp.write('loader/addons/hostile.addon.efi', addon);
  await esp.write(`${uki}.extra.d/hostile.addon.efi`, addon);
  await injectEntry(esp, uki);
}

/** A boot entry of its own that starts the signed UKI with hostile arguments, chosen by default. */
async function injectEntry(esp: Esp, uki: string): Promise<void> {
  const entry = ['title hostile', `efi /${uki}`, `options ${HOSTILE_ARGUMENTS.join(' ')}`, ''];
  await esp.write('loader/entries/hostile.conf', entry.join('\n'));
  await esp.write('loader/loader.conf', 'default hostile.conf\ntimeout 1\neditor yes\n');
}

/** An add-on for UKIs that carries arguments (systemd-stub(7)), signed by nobody. */
async function makeAddon(toolbox: Toolbox, scratch: string): Promise<Buffer> {
  const folder = join(scratch, 'addon');
  await mkdir(folder, { recursive: true });
  const stub = '--stub=/usr/lib/systemd/boot/efi/addonx64.efi.stub';
  await toolbox.run(
    'ukify',
    ['build', `--cmdline=${HOSTILE_ARGUMENTS.join(' ')}`, stub, '--output=/out/addon.efi'],
    {
      binds: [{ host: folder, inside: '/out' }],
    },
  );
  return readFile(join(folder, 'addon.efi'));
}

/** makeConfigDrive makes a NoCloud drive whose user data would run a program and open an account. */
export function makeConfigDrive(toolbox: Toolbox, scratch: string): Promise<ExtraDrive> {
  const userData = [
    '#cloud-config',
    'password: open',
    'ssh_pwauth: true',
    `bootcmd: ["mount --${MARKER}config-drive"]`,
    '',
  ];
  return makeFatDrive(toolbox, join(scratch, 'drive.img'), {
    'user-data': userData.join('\n'),
    'meta-data': 'instance-id: hostile\n',
  });
}
