import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { PlinthError } from '@plinth/base';
import { hashText } from '@plinth/host';
import { decompressXz } from './decompress-xz.ts';
import type { Release } from './release.ts';

export const COMPONENT = 'main';
/** Where an archive has the list of packages, below the folder of the suite. */
export const PACKAGES_FOLDER = `${COMPONENT}/binary-amd64`;
const PACKAGES_LIMIT_BYTES = 256 * 1024 * 1024;

interface SignedFile {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** inReleaseFile is what a signed index is called where it is kept. */
export function inReleaseFile(sha256: string): string {
  return `${sha256}.InRelease`;
}

/** packagesFile tells which list of packages a signed index names, and where it lies in a folder. @throws debian/index-invalid */
export function packagesFile(
  suite: string,
  release: Release,
  folder: string,
): { readonly file: SignedFile; readonly plain: SignedFile; readonly path: string } {
  const plain = release.files.get(`${PACKAGES_FOLDER}/Packages`);
  const packed = ['xz', 'gz'].find((ending) => release.files.has(`${PACKAGES_FOLDER}/Packages.${ending}`));
  const file = packed === undefined ? undefined : release.files.get(`${PACKAGES_FOLDER}/Packages.${packed}`);
  if (!plain || !file || plain.sizeBytes > PACKAGES_LIMIT_BYTES)
    throw invalid(suite, `it offers no usable ${PACKAGES_FOLDER}/Packages.xz`);
  return { file, plain, path: join(folder, `${file.sha256}.${packed}`) };
}

/** readPackagesFile unpacks a list of packages and holds it against what the signed index promises. @throws debian/index-invalid, host/io */
export async function readPackagesFile(suite: string, path: string, plain: SignedFile): Promise<Buffer> {
  const text = path.endsWith('.xz')
    ? await decompressXz(path, plain.sizeBytes)
    : await promisify(gunzip)(await readFile(path), { maxOutputLength: plain.sizeBytes + 1 });
  if (text.length !== plain.sizeBytes || hashText(text) !== plain.sha256)
    throw invalid(suite, `${path} does not hold what the signed index promises`);
  return text;
}

function invalid(suite: string, state: string): PlinthError {
  return new PlinthError(
    'debian/index-invalid',
    `Cannot use the index of ${suite}: ${state}, expected it to`,
  );
}
