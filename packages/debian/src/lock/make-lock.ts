import type { ArchiveIndex } from '../archive/package-index.ts';
import { type PackageSet, packageSetDigest } from '../resolve/package-set.ts';
import type { Closure, ResolvedPackage } from '../resolve/resolve-closure.ts';
import type { Lock, LockedPackage } from './lock.ts';

/** makeLock writes down a closure and the signed indexes it was chosen from. Pure: the same input, the same lock. */
export function makeLock(set: PackageSet, indexes: readonly ArchiveIndex[], closure: Closure): Lock {
  const newest = indexes.reduce((latest, { date }) => (date > latest ? date : latest), new Date(0));
  return {
    format: 1,
    architecture: 'amd64',
    created: newest.toISOString(),
    specDigest: packageSetDigest(set),
    indexes: [...indexes]
      .sort((a, b) => (a.suite < b.suite ? -1 : 1))
      .map(({ archive, suite, component, date, validUntil, inReleaseSha256, packagesSha256 }) => ({
        archive,
        suite,
        component,
        date: date.toISOString(),
        ...(validUntil && { validUntil: validUntil.toISOString() }),
        inReleaseSha256,
        packagesSha256,
      })),
    packages: closure.packages.map(lockPackage),
  };
}

function lockPackage({ item, why }: ResolvedPackage): LockedPackage {
  const { name, version, source, sourceVersion, archive, suite, path, sizeBytes, sha256 } = item;
  return {
    ...{ name, version, source, sourceVersion, archive, suite, path, sizeBytes, sha256, why },
    ...(item.builtUsing && { builtUsing: splitList(item.builtUsing) }),
    ...(item.staticBuiltUsing && { staticBuiltUsing: splitList(item.staticBuiltUsing) }),
  };
}

function splitList(field: string): string[] {
  const items = field.split(',').map((item) => item.replace(/\s+/g, ' ').trim());
  return items.filter((item) => item !== '').sort();
}
