import { lstat, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { licenceOf } from './debian-licence.ts';

/**
 * readLicences gives the SPDX expression of each unpacked package whose copyright file states it for certain. The files
 * are in the packages only: the image carries no documentation.
 * @param packageDir where a package of the lock is unpacked; throws for one that is not in it
 */
export async function readLicences(
  names: readonly string[],
  packageDir: (name: string) => string,
): Promise<ReadonlyMap<string, string>> {
  const known = new Set(names);
  const found = await Promise.all(
    names.map(async (name) => [name, await licenceOfPackage(name, known, packageDir)] as const),
  );
  return new Map(
    found.flatMap(([name, licence]) => (licence === undefined ? [] : [[name, licence] as const])),
  );
}

async function licenceOfPackage(
  name: string,
  known: ReadonlySet<string>,
  packageDir: (name: string) => string,
): Promise<string | undefined> {
  try {
    const folder = join(packageDir(name), 'usr/share/doc', name);
    // A package may point to the folder of another one of the same source (Debian policy 12.3).
    const owner = (await lstat(folder)).isSymbolicLink() ? basename(await readlink(folder)) : name;
    if (!known.has(owner)) return undefined;
    return licenceOf(await readFile(join(packageDir(owner), 'usr/share/doc', owner, 'copyright'), 'utf8'));
  } catch (reason) {
    if (reason instanceof Error && 'code' in reason && reason.code === 'ENOENT') return undefined;
    throw reason;
  }
}
