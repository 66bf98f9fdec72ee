import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { PlinthError, type Progress, silentProgress } from '@plinth/base';
import { cacheDir, download, hashText, mapParallel } from '@plinth/host';
import { decompressXz } from './decompress-xz.ts';
import { type Keyring, readKeyring, verifyInRelease } from './keyring.ts';
import type { ArchiveName, Mirrors } from './mirrors.ts';
import { type ArchiveIndex, parsePackages } from './package-index.ts';
import { parseRelease, type Release } from './release.ts';

export interface FetchIndexOptions {
  readonly mirrors: Mirrors;
  /** Default: the keys in os/trust. */
  readonly keyring?: Keyring;
  /** The instant at which dates are judged; default: now. */
  readonly now?: Date;
  readonly cacheRoot?: string;
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}

const COMPONENT = 'main';
const ARCHITECTURE = 'amd64';
const IN_RELEASE_LIMIT_BYTES = 4 * 1024 * 1024;
const PACKAGES_LIMIT_BYTES = 256 * 1024 * 1024;

/** archiveOf tells which archive carries a suite: "<codename>-security" lives in an archive of its own. */
export function archiveOf(suite: string): ArchiveName {
  return suite.endsWith('-security') ? 'security' : 'debian';
}

/**
 * fetchIndexes fetches the package indexes of the suites and returns them verified: signature, dates, release name
 * and digests. Packages files are cached by digest; signatures are read anew each time.
 * @throws debian/index-untrusted, debian/index-expired, debian/index-invalid, host/download-failed
 */
export async function fetchIndexes(
  suites: readonly string[],
  options: FetchIndexOptions,
): Promise<ArchiveIndex[]> {
  const keyring = options.keyring ?? (await readKeyring());
  return (options.progress ?? silentProgress).step(`Read the indexes of ${suites.join(', ')}`, () =>
    mapParallel(suites, 3, (suite) => fetchIndex(suite, keyring, options)),
  );
}

async function fetchIndex(
  suite: string,
  keyring: Keyring,
  options: FetchIndexOptions,
): Promise<ArchiveIndex> {
  const { now = new Date(), cacheRoot = join(cacheDir(), 'indexes'), signal } = options;
  const archive = archiveOf(suite);
  const base = `${options.mirrors[archive]}/dists/${suite}`;

  const inRelease = await fetchText(`${base}/InRelease`, cacheRoot, suite, signal);
  const release = parseRelease(await verifyInRelease(inRelease, keyring, suite, now), suite, now);
  const text = await fetchPackages(base, suite, release, cacheRoot, signal);
  return {
    archive,
    suite,
    component: COMPONENT,
    date: release.date,
    ...(release.validUntil && { validUntil: release.validUntil }),
    notAutomatic: release.notAutomatic,
    inReleaseSha256: hashText(inRelease),
    packagesSha256: hashText(text),
    packages: parsePackages(text.toString('utf8'), archive, suite),
  };
}

async function fetchText(
  url: string,
  cacheRoot: string,
  suite: string,
  signal?: AbortSignal,
): Promise<string> {
  const path = join(cacheRoot, `${suite}.${process.pid}.InRelease`);
  try {
    await download(url, path, { limitBytes: IN_RELEASE_LIMIT_BYTES, signal });
    return await readFile(path, 'utf8');
  } catch (reason) {
    if (!(reason instanceof PlinthError && reason.code === 'host/download-missing')) throw reason;
    throw new PlinthError('debian/index-invalid', `${reason.message}: this mirror has no ${suite}`, {
      hint: 'Check the address of the mirror (the folder that has "dists" in it) and the name of the suite.',
      cause: reason,
    });
  } finally {
    await rm(path, { force: true });
  }
}

/** Fetches the Packages file under its digest ("by-hash"), which a mirror keeps while it is being updated. */
async function fetchPackages(
  base: string,
  suite: string,
  release: Release,
  cacheRoot: string,
  signal?: AbortSignal,
): Promise<Buffer> {
  const folder = `${COMPONENT}/binary-${ARCHITECTURE}`;
  const plain = release.files.get(`${folder}/Packages`);
  const packed = [`${folder}/Packages.xz`, `${folder}/Packages.gz`].find((name) => release.files.has(name));
  const file = packed === undefined ? undefined : release.files.get(packed);
  if (!plain || !packed || !file || plain.sizeBytes > PACKAGES_LIMIT_BYTES) {
    throw invalid(suite, `it offers no usable ${folder}/Packages.xz`);
  }
  const path = join(cacheRoot, `${file.sha256}${packed.slice(packed.lastIndexOf('.'))}`);
  const cached = await readFile(path).catch(() => undefined);
  if (!cached || hashText(cached) !== file.sha256) {
    await download(`${base}/${folder}/by-hash/SHA256/${file.sha256}`, path, {
      ...file,
      signal,
    });
  }
  const text = packed.endsWith('.xz')
    ? await decompressXz(path, plain.sizeBytes)
    : await promisify(gunzip)(await readFile(path), { maxOutputLength: plain.sizeBytes + 1 });
  if (text.length !== plain.sizeBytes || hashText(text) !== plain.sha256) {
    throw invalid(suite, `${packed} does not hold what the signed index promises`);
  }
  return text;
}

function invalid(suite: string, state: string): PlinthError {
  return new PlinthError(
    'debian/index-invalid',
    `Cannot use the index of ${suite}: ${state}, expected it to`,
  );
}
