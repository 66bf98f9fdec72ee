import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError, writeFileAtomic } from '@plinth/host';
import { readUpdateKeyRing, type UpdateKeyRing, updateKeyFolder } from '@plinth/trust';

/** rootFileName is the file of one version of root, in key folders and in repositories. */
export function rootFileName(version: number): string {
  return `${version}.root.json`;
}

/**
 * readTrustedRoot gives the newest root of a key folder, as its file's bytes: what an image carries as the first root its nodes
 * believe. The newest, so that a new image knows nothing of keys that were replaced.
 * @throws publish/keys-missing when there are no update keys; trust/key-unreadable, host/io
 */
export async function readTrustedRoot(keysDir: string): Promise<Uint8Array> {
  const ring = await requireUpdateKeys(keysDir);
  return readRoot(keysDir, ring.rootVersion);
}

/**
 * exportTrustedRoot writes the newest root as "update-root.json" and gives its path.
 * @throws publish/keys-missing, trust/key-unreadable, host/io, host/disk-full
 */
export async function exportTrustedRoot(keysDir: string, outDir: string): Promise<string> {
  const path = join(outDir, 'update-root.json');
  await writeFileAtomic(path, await readTrustedRoot(keysDir));
  return path;
}

/** readRoot gives one version of root of a key folder. @throws host/io */
export async function readRoot(keysDir: string, version: number): Promise<Uint8Array> {
  const path = join(updateKeyFolder(keysDir), rootFileName(version));
  try {
    return await readFile(path);
  } catch (reason) {
    throw ioError(reason, `read the root of updates ${path}`);
  }
}

/** requireUpdateKeys reads the update keys of a key folder. @throws publish/keys-missing, trust/key-unreadable, host/io */
export async function requireUpdateKeys(keysDir: string): Promise<UpdateKeyRing> {
  const ring = await readUpdateKeyRing(updateKeyFolder(keysDir));
  if (ring) return ring;
  throw new PlinthError(
    'publish/keys-missing',
    `Cannot use the update keys of ${keysDir}: there are none, expected those of a repository`,
    { hint: 'Run "plinth keys init": it makes what a key folder lacks and leaves the rest as it is.' },
  );
}
