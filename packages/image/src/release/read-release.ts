import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError, isErrno } from '@plinth/host';
import { type Manifest, parseManifest } from '@plinth/updates';
import { parseFacts, type ReleaseFacts } from './facts/release-facts.ts';

/**
 * findManifest gives the name of the manifest in a release folder.
 * @throws release/not-found when there is none or more than one; host/io
 */
export async function findManifest(folder: string): Promise<string> {
  const names = await readdir(folder).catch((reason: unknown) => {
    if (isErrno(reason, 'ENOENT')) throw notFound(folder, 'there is nothing, expected a folder');
    if (isErrno(reason, 'ENOTDIR')) throw notFound(folder, 'it is a file, expected a folder');
    throw ioError(reason, `list ${folder}`);
  });
  const manifests = names.filter((name) => name.endsWith('.manifest.json'));
  const [manifest] = manifests;
  if (manifest !== undefined && manifests.length === 1) return manifest;
  throw notFound(folder, `it holds ${manifests.length} manifests, expected one`);
}

function notFound(folder: string, state: string): PlinthError {
  return new PlinthError('release/not-found', `Cannot read a release in ${folder}: ${state}`);
}

/**
 * readManifest reads the manifest of a release, without checking anything against it.
 * @throws release/not-found, release/manifest-invalid, host/io
 */
export async function readManifest(folder: string): Promise<Manifest> {
  const name = await findManifest(folder);
  return parseManifest(await readText(join(folder, name)), name);
}

/**
 * readFacts reads what a release is compared by.
 * @throws release/not-found, release/facts-invalid, host/io
 */
export async function readFacts(folder: string): Promise<ReleaseFacts> {
  const name = (await findManifest(folder)).replace(/\.manifest\.json$/, '.facts.json');
  return parseFacts(await readText(join(folder, name)), name);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (reason) {
    throw ioError(reason, `read ${path}`);
  }
}
