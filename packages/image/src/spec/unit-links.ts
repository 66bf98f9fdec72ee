import { readdir } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { PlinthError } from '@plinth/base';
import { exists } from '@plinth/host';

/** Folders of units below os/. */
const UNIT_FOLDERS = ['units', 'initrd/units', 'initrd/sealing/units'];

/**
 * requireUnitLinks refuses a file where systemd follows links only: it would ignore a unit that is wanted by one, with a line in the
 * journal (systemd.unit(5), ".wants/"). Copies that do not keep links make such files.
 * @throws image/spec-invalid naming all of them
 */
export async function requireUnitLinks(osDir: string): Promise<void> {
  const found: string[] = [];
  for (const folder of UNIT_FOLDERS.map((name) => join(osDir, name))) {
    if (!(await exists(folder))) continue;
    for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }))
      if (/\.(wants|requires|upholds)$/.test(basename(entry.parentPath)) && !entry.isSymbolicLink())
        found.push(relative(osDir, join(entry.parentPath, entry.name)));
  }
  if (found.length === 0) return;
  throw new PlinthError(
    'image/spec-invalid',
    `Cannot use ${found.sort().join(', ')}: not a symbolic link, expected one to the unit, as systemd follows nothing else there`,
    { hint: 'Make it a link again: ln -s ../NAME.service' },
  );
}
