import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { hashText } from '@plinth/host';

/**
 * digestFolder identifies the contents of a folder: names, links, bytes; not times, owners or the umask's bits.
 * Folders of generated or test data are not part of what a build depends on.
 */
export async function digestFolder(folder: string): Promise<string> {
  const lines: string[] = [];
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    if (/\.test\.ts$|(^|\/)__/.test(name)) continue;
    const path = join(folder, name);
    const stats = await lstat(path);
    if (stats.isSymbolicLink()) lines.push(`${name} -> ${await readlink(path)}`);
    else if (stats.isFile()) lines.push(`${name} ${hashText(await readFile(path))}`);
  }
  return hashText(lines.join('\n'));
}
