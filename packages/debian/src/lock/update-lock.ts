import { PlinthError } from '@plinth/base';
import { type FetchIndexOptions, fetchIndexes } from '../archive/fetch-indexes.ts';
import type { ArchiveIndex } from '../archive/package-index.ts';
import { type PackageSet, packageSetDigest } from '../resolve/package-set.ts';
import { resolveClosure } from '../resolve/resolve-closure.ts';
import { diffLocks, type LockDiff } from './diff-locks.ts';
import type { Lock } from './lock.ts';
import { makeLock } from './make-lock.ts';
import { readLock, writeLock } from './read-lock.ts';

export interface UpdateProposal {
  readonly lock: Lock;
  /** The difference to the lock at hand; everything is added when there is none. */
  readonly diff: LockDiff;
  /** Names in `dropped` that nothing depends on any more. */
  readonly unusedDrops: readonly string[];
}

export interface UpdateOptions extends FetchIndexOptions {
  /** What the packages are for; the first word of dependency chains in messages. */
  readonly label?: string;
}

/**
 * proposeUpdate resolves the package list against today's indexes and changes nothing.
 * @param current the lock at hand, if there is one
 * @throws debian/unsatisfiable, debian/conflict, debian/index-older, debian/index-…, host/download-failed
 */
export async function proposeUpdate(
  set: PackageSet,
  current: Lock | undefined,
  options: UpdateOptions,
): Promise<UpdateProposal> {
  const indexes = await fetchIndexes(set.suites, options);
  if (current) requireNotOlder(indexes, current);
  const closure = resolveClosure(set, indexes, options.label);
  const lock = makeLock(set, indexes, closure);
  return {
    lock,
    diff: diffLocks(current ?? { ...lock, packages: [] }, lock),
    unusedDrops: closure.unusedDrops,
  };
}

/** Signatures of stable suites never expire, so an old index is told from the current one only by what we saw before. */
function requireNotOlder(indexes: readonly ArchiveIndex[], current: Lock): void {
  for (const { suite, date } of indexes) {
    const seen = current.indexes.find((index) => index.suite === suite)?.date;
    if (seen === undefined || date.toISOString() >= seen) continue;
    throw new PlinthError(
      'debian/index-older',
      `Cannot use the index of ${suite}: it is of ${date.toISOString()}, expected ${seen} or later as in the lock`,
    );
  }
}

/** updateLock proposes an update of the lock file at `lockPath` and writes it. */
export async function updateLock(
  set: PackageSet,
  lockPath: string,
  options: UpdateOptions,
): Promise<UpdateProposal> {
  const current = await readLock(lockPath).catch((reason) => {
    // A missing or damaged lock is exactly what an update mends.
    if (reason instanceof PlinthError && reason.code.startsWith('debian/lock-')) return undefined;
    throw reason;
  });
  const proposal = await proposeUpdate(set, current, options);
  await writeLock(lockPath, proposal.lock);
  return proposal;
}

/**
 * requireFreshLock refuses a lock that was made from another package list.
 * @throws debian/lock-stale
 */
export function requireFreshLock(lock: Lock, set: PackageSet, lockPath: string): void {
  if (lock.specDigest === packageSetDigest(set)) return;
  throw new PlinthError(
    'debian/lock-stale',
    `Cannot use the lock ${lockPath}: the package list has changed since it was made, expected them to agree`,
  );
}
