export { type AskedIndex, askIndex } from './archive/ask-index.ts';
export { type Paragraph, parseParagraphs } from './archive/deb822.ts';
export { archiveOf, type FetchIndexOptions, fetchIndexes } from './archive/fetch-indexes.ts';
export { type IndexName, keepIndex, readKeptIndex } from './archive/keep-index.ts';
export { type Keyring, readKeyring, readScanKeyring } from './archive/keyring.ts';
export { type ArchiveName, findMirrors, type MirrorOptions, type Mirrors } from './archive/mirrors.ts';
export type { ArchiveIndex, BinaryPackage } from './archive/package-index.ts';
export { diffLocks, type LockDiff } from './lock/diff-locks.ts';
export { formatLock } from './lock/format-lock.ts';
export { issueDiagnostics } from './lock/issue-diagnostics.ts';
export { type Lock, type LockedPackage, lockSchema } from './lock/lock.ts';
export { makeLock } from './lock/make-lock.ts';
export { parseLock, readLock, writeLock } from './lock/read-lock.ts';
export {
  proposeUpdate,
  requireFreshLock,
  type UpdateOptions,
  type UpdateProposal,
  updateLock,
} from './lock/update-lock.ts';
export {
  checkPackageSet,
  type PackageSet,
  packageSetDigest,
  packageSetFields,
  packageSetSchema,
} from './resolve/package-set.ts';
export { readPackageSet } from './resolve/read-package-set.ts';
export { type Closure, type ResolvedPackage, resolveClosure } from './resolve/resolve-closure.ts';
export { type FetchPackagesOptions, fetchPackages } from './store/fetch-packages.ts';
export { openPackageStore, type PackageStore, type StoredFile } from './store/package-store.ts';
export { type DebFile, type ReadFromDebOptions, readFromDeb } from './store/read-from-deb.ts';
export { unpackAll, unpackDeb } from './store/unpack-deb.ts';
