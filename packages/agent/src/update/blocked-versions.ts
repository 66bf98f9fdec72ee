import type { FailedVersion } from './types.ts';

/** Versions that are remembered as blocked, the last ones. */
const BLOCKED_LIMIT = 32;

/** blockVersion remembers that a version did not prove itself here; what was known of it before gives way. Pure. */
export function blockVersion(
  failed: readonly FailedVersion[],
  entry: FailedVersion,
): readonly FailedVersion[] {
  return [...unblockVersion(failed, entry.version), entry].slice(-BLOCKED_LIMIT);
}

/** unblockVersion forgets that a version did not prove itself here; pure. */
export function unblockVersion(failed: readonly FailedVersion[], version: string): readonly FailedVersion[] {
  return failed.filter((each) => each.version !== version);
}
