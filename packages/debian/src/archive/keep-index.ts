import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { cacheDir, exists, hashText, isErrno, writeFileAtomic } from '@plinth/host';
import { describeIndex } from './fetch-indexes.ts';
import { inReleaseFile, packagesFile, readPackagesFile } from './index-files.ts';
import { type Keyring, readScanKeyring, verifyInRelease } from './keyring.ts';
import type { ArchiveIndex } from './package-index.ts';
import { parseRelease } from './release.ts';

/** One signed index, by the digest of its InRelease file. */
export interface IndexName {
  readonly suite: string;
  readonly sha256: string;
  /** Its Date; ISO 8601. */
  readonly date: string;
}

/**
 * keepIndex copies a signed index with its list of packages out of the cache of downloads into a folder, as a proof of what it
 * offered; tells whether both are there. @throws debian/index-untrusted, debian/index-invalid, host/io, host/disk-full
 */
export async function keepIndex(
  name: IndexName,
  folder: string,
  from: { readonly cacheRoot?: string; readonly keyring?: Keyring } = {},
): Promise<boolean> {
  const target = join(folder, inReleaseFile(name.sha256));
  if (await exists(target)) return true;
  const cacheRoot = from.cacheRoot ?? join(cacheDir(), 'indexes');
  const inRelease = await readOptional(join(cacheRoot, inReleaseFile(name.sha256)));
  if (!inRelease || hashText(inRelease) !== name.sha256) return false;
  const release = await verified(inRelease.toString('utf8'), name, from.keyring);
  const packages = await readOptional(packagesFile(name.suite, release, cacheRoot).path);
  if (!packages) return false;
  await writeFileAtomic(packagesFile(name.suite, release, folder).path, packages);
  // Last: where it is, the list is too.
  await writeFileAtomic(target, inRelease);
  return true;
}

/**
 * readKeptIndex reads an index that was kept, verified as on the day of its date: the archive's signature, the name of the
 * suite, the date, every digest. Undefined when it is not there. @throws debian/index-untrusted, debian/index-invalid, host/io
 */
export async function readKeptIndex(
  name: IndexName,
  folder: string,
  keyring?: Keyring,
): Promise<ArchiveIndex | undefined> {
  const inRelease = await readOptional(join(folder, inReleaseFile(name.sha256)));
  if (!inRelease) return undefined;
  const refuse = (state: string) =>
    new PlinthError('debian/index-invalid', `Cannot use the index of ${name.suite}: ${state}`);
  if (hashText(inRelease) !== name.sha256)
    throw refuse(`its SHA-256 is not ${name.sha256}, as its name says`);
  const text = inRelease.toString('utf8');
  const release = await verified(text, name, keyring);
  if (release.date.toISOString() !== name.date)
    throw refuse(`it is of ${release.date.toISOString()}, expected ${name.date}`);
  const { path, plain } = packagesFile(name.suite, release, folder);
  return describeIndex(name.suite, release, text, await readPackagesFile(name.suite, path, plain));
}

async function verified(text: string, { suite, date }: IndexName, keyring?: Keyring) {
  // An index is fresh for days, a proof for years: it is judged as of its own day, with an hour for the signer.
  const then = new Date(Date.parse(date) + 3_600_000);
  return parseRelease(
    await verifyInRelease(text, keyring ?? (await readScanKeyring(suite)), suite, then),
    suite,
    then,
  );
}

async function readOptional(path: string): Promise<Buffer | undefined> {
  return await readFile(path).catch((reason: unknown) => {
    if (isErrno(reason, 'ENOENT')) return undefined;
    throw reason;
  });
}
