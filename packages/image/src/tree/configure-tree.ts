import { cp, lstat, mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { exists } from '@plinth/host';
import type { TreeSpec } from '../spec/os-spec.ts';
import { makeFolder, replaceFile } from './apply-tree.ts';
import { renderOsRelease } from './os-release.ts';
import { withoutShells } from './user-tables.ts';

/** Which folder below os/ goes where in the image, where there is one. */
export const OS_FOLDERS: Readonly<Record<string, string>> = {
  etc: '/etc',
  'journald.conf.d': '/usr/lib/systemd/journald.conf.d',
  'modules-load.d': '/usr/lib/modules-load.d',
  'modprobe.d': '/usr/lib/modprobe.d',
  network: '/usr/lib/systemd/network',
  'networkd.conf.d': '/usr/lib/systemd/networkd.conf.d',
  plinth: '/usr/lib/plinth',
  'repart.d': '/usr/lib/repart.d',
  'resolved.conf.d': '/usr/lib/systemd/resolved.conf.d',
  'sysctl.d': '/usr/lib/sysctl.d',
  'system.conf.d': '/usr/lib/systemd/system.conf.d',
  'tmpfiles.d': '/usr/lib/tmpfiles.d',
  units: '/usr/lib/systemd/system',
  // What this very image is, and is not, affected by (OpenVEX): a scanner of the root needs no network for it.
  vex: '/usr/share/vex',
};

/** Mount points and the like that no package ships, with their modes. */
const SKELETON: readonly (readonly [path: string, mode: number])[] = [
  ['/dev', 0o755],
  ['/efi', 0o755],
  ['/etc', 0o755],
  ['/mnt', 0o755],
  ['/opt', 0o755],
  ['/proc', 0o555],
  ['/root', 0o700],
  ['/run', 0o755],
  ['/srv', 0o755],
  ['/sys', 0o555],
  ['/tmp', 0o1777],
  ['/var', 0o755],
];

/**
 * configureTree lays Plinth's own files over the packages' tree: what is below os/, the system's identity,
 * users, the trust bundle. Everything a maintainer script would have done and a tool at build can do is done here or in finishTree.
 * @throws host/io
 */
export async function configureTree(
  root: string,
  osDir: string,
  spec: TreeSpec,
  startSetup: string,
): Promise<void> {
  for (const [path, mode] of SKELETON) await makeFolder(join(root, path), mode);
  for (const [folder, target] of Object.entries(OS_FOLDERS)) {
    if (await exists(join(osDir, folder))) await copyFolder(join(osDir, folder), join(root, target));
  }
  await replaceFile(join(root, 'usr/lib/os-release'), renderOsRelease(spec, startSetup));
  await replaceLink('../usr/lib/os-release', join(root, 'etc/os-release'));
  await replaceLink('../run/systemd/resolve/stub-resolv.conf', join(root, 'etc/resolv.conf'));
  await replaceFile(join(root, 'etc/hostname'), `${spec.name}\n`);
  // Empty, not absent: systemd fills it in memory from the machine's own identity (machine-id(5)).
  await replaceFile(join(root, 'etc/machine-id'), '', 0o444);
  await replaceFile(join(root, 'usr/lib/systemd/system-preset/00-plinth.preset'), renderPreset(spec));
  for (const { name } of spec.units.masked)
    await replaceLink('/dev/null', join(root, 'etc/systemd/system', name));
  await takeUserTables(root);
  await writeTrustBundle(root);
}

/** Units that os/plinth.yaml enables and nothing else (systemd.preset(5)). */
export function renderPreset(spec: Pick<TreeSpec, 'units'>): string {
  return [...spec.units.enabled.map((unit) => `enable ${unit.name}`), 'disable *', ''].join('\n');
}

/** Copies a folder of os/; modes do not depend on the umask of whoever cloned the repository. */
async function copyFolder(from: string, to: string): Promise<void> {
  await makeFolder(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) await copyFolder(source, target);
    else if (entry.isSymbolicLink()) await cp(source, target, { verbatimSymlinks: true });
    else await replaceFile(target, await readFile(source));
  }
}

async function replaceLink(target: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  await symlink(target, path);
}

async function takeUserTables(root: string): Promise<void> {
  const masters = join(root, 'usr/share/base-passwd');
  const users = await readFile(join(masters, 'passwd.master'), 'utf8');
  const groups = await readFile(join(masters, 'group.master'), 'utf8');
  await replaceFile(join(root, 'etc/passwd'), withoutShells(users));
  await replaceFile(join(root, 'etc/group'), groups);
  await rm(masters, { recursive: true });
}

/** One file of all authorities, in the order of their names, where OpenSSL and Go look for it. */
async function writeTrustBundle(root: string): Promise<void> {
  const folder = join(root, 'usr/share/ca-certificates');
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.crt'));
  names.sort((a, b) => (basename(a) < basename(b) ? -1 : 1));
  const bundle: string[] = [];
  for (const name of names) {
    if ((await lstat(join(folder, name))).isFile())
      bundle.push((await readFile(join(folder, name), 'utf8')).trimEnd());
  }
  await replaceFile(join(root, 'etc/ssl/certs/ca-certificates.crt'), `${bundle.join('\n')}\n`);
  await rm(folder, { recursive: true });
}
