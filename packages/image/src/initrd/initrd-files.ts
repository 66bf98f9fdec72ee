import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { CpioEntry } from '@plinth/formats';

/** Folders the kernel and systemd expect before anything is mounted. */
const FOLDERS = ['dev', 'etc', 'proc', 'root', 'run', 'sys', 'sysroot', 'tmp', 'var'];

/** Trixie's merged root; the kernel starts /init. */
const LINKS: Readonly<Record<string, string>> = {
  bin: 'usr/bin',
  init: 'usr/lib/systemd/systemd',
  lib: 'usr/lib',
  lib64: 'usr/lib64',
  sbin: 'usr/sbin',
  'etc/initrd-release': '../usr/lib/os-release',
  'etc/os-release': '../usr/lib/os-release',
  'usr/lib/systemd/system/default.target': 'initrd.target',
};

const TEXTS: Readonly<Record<string, string>> = {
  // Without a version: the initrd stays the same over versions that change nothing in it, and an update need not fetch it.
  'usr/lib/os-release': 'NAME=Plinth\nID=plinth\nPRETTY_NAME=Plinth\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\n',
  'etc/machine-id': '',
};

/** Where the folders of os/initrd/ go. */
const INITRD_FOLDERS: Readonly<Record<string, string>> = {
  'modules-load.d': 'usr/lib/modules-load.d',
  'rules.d': 'usr/lib/udev/rules.d',
  'tmpfiles.d': 'usr/lib/tmpfiles.d',
  units: 'usr/lib/systemd/system',
};

/** What of os/initrd/ is carried only by images whose new /var is sealed by the TPM. */
const SEALING_FOLDERS: Readonly<Record<string, string>> = {
  'sealing/tmpfiles.d': 'usr/lib/tmpfiles.d',
  'sealing/units': 'usr/lib/systemd/system',
};

/** fixedEntries are the parts of the initrd that come from nowhere but here: folders, links, tables. */
export function fixedEntries(): CpioEntry[] {
  return [
    ...FOLDERS.map((path): CpioEntry => ({ kind: 'directory', path, mode: 0o755 })),
    ...Object.entries(LINKS).map(([path, target]): CpioEntry => ({ kind: 'symlink', path, target })),
    ...Object.entries(TEXTS).map(
      ([path, text]): CpioEntry => ({ kind: 'file', path, mode: 0o644, data: Buffer.from(text) }),
    ),
  ];
}

/**
 * ownEntries reads os/initrd/ and os/repart.d: the units and rules Plinth adds to the initrd.
 * @param sealVar whether a new /var is sealed by the TPM where there is one
 */
export async function ownEntries(osDir: string, sealVar: boolean): Promise<CpioEntry[]> {
  const wanted = { ...INITRD_FOLDERS, ...(sealVar && SEALING_FOLDERS) };
  const folders = Object.entries(wanted).map(([from, to]) =>
    readFolder(join(osDir, 'initrd', from), to, 0o644),
  );
  return (
    await Promise.all([...folders, readFolder(join(osDir, 'repart.d'), 'usr/lib/repart.d', 0o644)])
  ).flat();
}

/** readFolder reads files and links below a folder as entries below `to`; `fileMode` overrides the modes on disk. */
export async function readFolder(from: string, to: string, fileMode: number): Promise<CpioEntry[]> {
  const entries: CpioEntry[] = [];
  for (const entry of await readdir(from, { withFileTypes: true, recursive: true })) {
    const source = join(entry.parentPath, entry.name);
    const path = join(to, source.slice(from.length));
    if (entry.isSymbolicLink()) entries.push({ kind: 'symlink', path, target: await readlink(source) });
    else if (entry.isFile())
      entries.push({ kind: 'file', path, mode: fileMode, data: await readFile(source) });
  }
  return entries;
}
