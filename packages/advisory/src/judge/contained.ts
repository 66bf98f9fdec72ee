import { compareDebianVersions } from '@plinth/base';

/** Marks of an upload made for a stable release or for backports, after the version it was made from. */
const FOR_STABLE = /~(?:deb\d+u\d+|bpo\d+\+\d+)(?:\+b\d+)?$/;

/**
 * isContained tells whether a package at `installed` has the change of a changelog entry of version `entry`; pure.
 *
 * dpkg's order alone is not enough. "2.8.3-1~deb13u1" is 2.8.3-1 rebuilt for stable, so it has what 2.8.3-1 has,
 * though it sorts before it. The other way round "3.5.7-1~deb13u3" sorts before 3.5.7-1 too, and is newer than
 * 3.5.7-1~deb13u2: entries that are themselves for stable go by dpkg's order.
 */
export function isContained(entry: string, installed: string): boolean {
  if (compareDebianVersions(entry, installed) <= 0) return true;
  if (FOR_STABLE.test(entry)) return false;
  const base = installed.replace(FOR_STABLE, '');
  return base !== installed && compareDebianVersions(entry, base) <= 0;
}
