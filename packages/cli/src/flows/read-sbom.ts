import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError } from '@plinth/host';
import { readManifest, releaseNames } from '@plinth/image';

export interface SbomDocument {
  readonly text: string;
  readonly document: unknown;
}

/** readSbom reads one of the two bills of materials in a release. @throws release/not-found, host/io */
export async function readSbom(folder: string, kind: 'spdx' | 'cyclonedx'): Promise<SbomDocument> {
  const { name, version } = await readManifest(folder);
  const names = releaseNames(name, version);
  const path = join(folder, kind === 'spdx' ? names.spdx : names.cycloneDx);
  const text = await readFile(path, 'utf8').catch((reason) =>
    Promise.reject(ioError(reason, `read ${path}`)),
  );
  try {
    return { text, document: JSON.parse(text) };
  } catch (reason) {
    throw PlinthError.from(reason, 'release/manifest-invalid', `Cannot read ${path}`);
  }
}

export interface SbomComponent {
  readonly name: string;
  readonly version: string;
  /** Package URL; empty for parts that have none. */
  readonly purl: string;
}

/** listComponents takes the packages out of an SPDX 2.3 document; what is not one is passed over. */
export function listComponents(document: unknown): SbomComponent[] {
  const packages = isRecord(document) && Array.isArray(document['packages']) ? document['packages'] : [];
  return packages.filter(isRecord).map((each) => ({
    name: String(each['name'] ?? ''),
    version: String(each['versionInfo'] ?? ''),
    purl: purlOf(each['externalRefs']),
  }));
}

function purlOf(references: unknown): string {
  if (!Array.isArray(references)) return '';
  const found = references.filter(isRecord).find((each) => each['referenceType'] === 'purl');
  return String(found?.['referenceLocator'] ?? '');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
