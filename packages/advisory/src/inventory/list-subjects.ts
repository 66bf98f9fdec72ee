import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { exists, ioError, isErrno } from '@plinth/host';

/**
 * listSubjects gives the subjects that paths stand for: a folder that is none itself stands for all in it, as the shell's
 * asterisk would, so that a watch finds what comes in later. What they are, readSubject tells.
 * @throws advisory/subject-unknown when such a folder is empty, host/io
 */
export async function listSubjects(paths: readonly string[]): Promise<string[]> {
  return (await Promise.all(paths.map(listOne))).flat();
}

async function listOne(path: string): Promise<string[]> {
  const facts = await stat(path).catch((reason: unknown) => {
    if (isErrno(reason, 'ENOENT')) return undefined;
    throw ioError(reason, `look at ${path}`);
  });
  if (!facts?.isDirectory()) return [path];
  const names = await readdir(path).catch((reason: unknown) => {
    throw ioError(reason, `list ${path}`);
  });
  const isOne = names.some((name) => name.endsWith('.manifest.json'));
  if (isOne || (await exists(join(path, 'var/lib/dpkg')))) return [path];
  // A name with a dot is being written, or a volume's own: "lost+found" is one too.
  const inside = names.filter((name) => !name.startsWith('.') && name !== 'lost+found').sort();
  if (inside.length > 0) return inside.map((name) => join(path, name));
  throw new PlinthError(
    'advisory/subject-unknown',
    `Cannot judge ${path}: the folder is empty, expected a release or a folder of releases`,
  );
}
