import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashText } from '@plinth/host';
import type { ExecuteLevel } from '../ipe/ipe-policy.ts';
import { digestFolder } from './digest-folder.ts';

/**
 * What a soft-reboot cannot change: what lays out a root, the initrd of a start by the firmware and what does the same
 * before a soft-reboot, and the rules of IPE, which the kernel holds from its start on.
 */
const FOLDERS = ['initrd', 'ipe', 'repart.d'];
const NEXT_ROOT: readonly (readonly [folder: string, prefix: string])[] = [
  ['units', 'plinth-nextroot'],
  ['plinth', 'nextroot'],
];

/**
 * startSetup identifies how a system lays out its root: mounts, folders, partitions, and what may execute. A node goes by soft-reboot only between versions that
 * have the same, for the old one lays out the new one's root. The programs of the initrd are not part of it.
 * @returns 16 hexadecimal digits
 */
export async function startSetup(osDir: string, execute: ExecuteLevel): Promise<string> {
  const lines = await Promise.all(FOLDERS.map((name) => digestFolder(join(osDir, name))));
  for (const [folder, prefix] of NEXT_ROOT) {
    const names = (await readdir(join(osDir, folder))).filter((name) => name.startsWith(prefix));
    for (const name of names.sort())
      lines.push(`${name} ${hashText(await readFile(join(osDir, folder, name)))}`);
  }
  lines.push(execute);
  return hashText(lines.join('\n')).slice(0, 16);
}
