import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { parseLock } from '@plinth/debian';
import { exists, ioError, isErrno } from '@plinth/host';
import { parseBoundedJson, readBounded } from '../documents/read-file.ts';
import type { Inventory } from '../model/index.ts';
import { inventoryOfCycloneDx } from './from-cyclonedx.ts';
import { inventoryOfLayer, isLayerPaper } from './from-layer.ts';
import { inventoryOfLock } from './from-lock.ts';
import { inventoryOfRelease } from './from-release.ts';
import { inventoryOfRoot } from './from-root.ts';
import { inventoryOfSpdx } from './from-spdx.ts';

/**
 * readSubject tells what a path is (release folder, papers of a Kubernetes layer, root of a Debian system, lock, SPDX 2.3,
 * CycloneDX) by its content, and reads what is in it.
 * @throws advisory/subject-unknown, advisory/subject-invalid, debian/lock-invalid, host/io
 */
export async function readSubject(path: string): Promise<Inventory> {
  const facts = await stat(path).catch((reason: unknown) => {
    if (isErrno(reason, 'ENOENT')) throw unknownSubject(path, 'there is nothing');
    throw ioError(reason, `look at ${path}`);
  });
  return facts.isDirectory() ? await readFolder(path) : await readDocument(path);
}

async function readFolder(path: string): Promise<Inventory> {
  const names = await readdir(path).catch((reason: unknown) => {
    throw ioError(reason, `list ${path}`);
  });
  const manifests = names.filter((name) => name.endsWith('.manifest.json')).length;
  if (manifests === 1) return await inventoryOfRelease(path);
  if (manifests > 1) throw unknownSubject(path, `it holds ${manifests} releases`);
  if (await exists(join(path, 'var/lib/dpkg'))) return await inventoryOfRoot(path);
  throw unknownSubject(path, 'the folder holds neither a release nor var/lib/dpkg');
}

async function readDocument(path: string): Promise<Inventory> {
  if (isLayerPaper(path)) return await inventoryOfLayer(path);
  const { text, sha256 } = await readBounded(path);
  const document = parseBoundedJson(text, path);
  if (typeof document !== 'object' || document === null) throw unknownSubject(path, 'it is no object');
  if ('spdxVersion' in document) return inventoryOfSpdx(document, path, sha256);
  if ('bomFormat' in document) return inventoryOfCycloneDx(document, path, sha256);
  if ('indexes' in document && 'packages' in document)
    return inventoryOfLock(parseLock(text, path), path, sha256);
  throw unknownSubject(path, 'its JSON is of no kind known here');
}

function unknownSubject(path: string, state: string): PlinthError {
  return new PlinthError(
    'advisory/subject-unknown',
    `Cannot scan ${path}: ${state}, expected a release, a layer's papers, a lock, a Debian root or an SBOM`,
  );
}
