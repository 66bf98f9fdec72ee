import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError, type Progress, silentProgress } from '@plinth/base';
import { cacheDir, download, hashText, mapParallel } from '@plinth/host';
import { COMPONENT, inReleaseFile, PACKAGES_FOLDER, packagesFile, readPackagesFile } from './index-files.ts';
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

export const IN_RELEASE_LIMIT_BYTES = 4 * 1024 * 1024;

/** archiveOf tells which archive carries a suite: "<codename>-security" lives in an archive of its own. */
export function archiveOf(suite: string): ArchiveName {
  return suite.endsWith('-security') ? 'security' : 'debian';
}

/**
 * fetchIndexes fetches the package indexes of the suites and returns them verified: signature, dates, release name
 * and digests. All files are cached by digest; signatures are read anew each time.
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
  return describeIndex(suite, release, inRelease, text);
}

/** describeIndex puts together what a verified index says; pure. */
export function describeIndex(
  suite: string,
  release: Release,
  inRelease: string,
  packages: Buffer,
): ArchiveIndex {
  const archive = archiveOf(suite);
  return {
    archive,
    suite,
    component: COMPONENT,
    date: release.date,
    ...(release.validUntil && { validUntil: release.validUntil }),
    notAutomatic: release.notAutomatic,
    inReleaseSha256: hashText(inRelease),
    packagesSha256: hashText(packages),
    packages: parsePackages(packages.toString('utf8'), archive, suite),
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
    const text = await readFile(path, 'utf8');
    // Kept under its digest: it proves what was offered, also when the mirror has long had newer ones.
    await rename(path, join(cacheRoot, inReleaseFile(hashText(text))));
    return text;
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
  const { file, plain, path } = packagesFile(suite, release, cacheRoot);
  const cached = await readFile(path).catch(() => undefined);
  if (!cached || hashText(cached) !== file.sha256) {
    await download(`${base}/${PACKAGES_FOLDER}/by-hash/SHA256/${file.sha256}`, path, {
      ...file,
      signal,
    });
  }
  return await readPackagesFile(suite, path, plain);
}
