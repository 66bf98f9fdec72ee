import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, downloadIfChanged, hashFile, type Validators } from '@plinth/host';
import { archiveOf, type FetchIndexOptions, IN_RELEASE_LIMIT_BYTES } from './fetch-indexes.ts';

/** What a mirror last gave as the signed index of a suite. */
export interface AskedIndex {
  /** Of the bytes of InRelease, as ArchiveIndex.inReleaseSha256. */
  readonly sha256: string;
  readonly validators: Validators;
}

/**
 * askIndex asks a mirror which signed index of a suite it has, at the cost of one small request while it is the same. What it
 * says is not verified and only tells whether to fetch: that is fetchIndexes's to do.
 * @param before what this gave for the suite the last time
 * @throws host/download-missing, host/download-failed, host/digest-mismatch, cli/interrupted
 */
export async function askIndex(
  suite: string,
  before: AskedIndex | undefined,
  options: Pick<FetchIndexOptions, 'mirrors' | 'cacheRoot' | 'signal'>,
): Promise<AskedIndex> {
  const { mirrors, cacheRoot = join(cacheDir(), 'indexes'), signal } = options;
  const path = join(cacheRoot, `${suite}.${process.pid}.asked`);
  try {
    const url = `${mirrors[archiveOf(suite)]}/dists/${suite}/InRelease`;
    const limits = { limitBytes: IN_RELEASE_LIMIT_BYTES, attempts: 1, signal };
    const validators = await downloadIfChanged(url, path, before?.validators, limits);
    if (validators === undefined && before) return before;
    return { sha256: (await hashFile(path)).sha256, validators: validators ?? {} };
  } finally {
    await rm(path, { force: true });
  }
}
