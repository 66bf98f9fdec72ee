import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from './process.ts';

/**
 * sealOf lists what makes up a finished folder: for each entry its kind and mode, its size or target, its path. Contents are
 * not read and times are not told, so that equal results have equal seals and a look costs a tenth of a second.
 */
export async function sealOf(folder: string): Promise<string> {
  const lines: string[] = [];
  const visit = async (below: string): Promise<void> => {
    for (const name of await readdir(join(folder, below))) {
      const path = join(below, name);
      const stats = await lstat(join(folder, path));
      const what = stats.isSymbolicLink()
        ? await readlink(join(folder, path))
        : stats.isFile()
          ? stats.size
          : stats.rdev;
      lines.push(JSON.stringify([path, stats.mode.toString(8), what]));
      if (stats.isDirectory()) await visit(path);
    }
  };
  await visit('');
  return `${lines.sort().join('\n')}\n`;
}

/**
 * brokenSeal tells what is other than when the folder was sealed: the first path that came, went or changed, or that there is no
 * seal. Undefined: it is as it was.
 */
export async function brokenSeal(folder: string, sealPath: string): Promise<string | undefined> {
  const seal = await readFile(sealPath, 'utf8').catch((reason) => {
    if (isErrno(reason, 'ENOENT')) return undefined;
    throw reason;
  });
  if (seal === undefined) return 'nothing tells how it was when it was made';
  const now = await sealOf(folder);
  if (now === seal) return undefined;
  const [line] = [...linesOf(seal).symmetricDifference(linesOf(now))].sort();
  return `${pathOf(line)} is not as it was when it was made`;
}

const linesOf = (text: string) => new Set(text.split('\n'));

function pathOf(line = ''): string {
  try {
    const [path]: unknown[] = JSON.parse(line) as unknown[];
    return String(path);
  } catch {
    // Of a seal that was itself changed.
    return 'its list of files';
  }
}
