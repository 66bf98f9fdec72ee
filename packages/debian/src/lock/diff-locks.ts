import type { Lock, LockedPackage } from './lock.ts';

export interface LockDiff {
  readonly added: readonly LockedPackage[];
  readonly removed: readonly LockedPackage[];
  /** Another version (up or down) or another file of the same version. */
  readonly changed: readonly { readonly from: LockedPackage; readonly to: LockedPackage }[];
}

/** diffLocks compares two locks package by package, each list sorted by name. Reasons are not compared. */
export function diffLocks(from: Lock, to: Lock): LockDiff {
  const before = new Map(from.packages.map((item) => [item.name, item]));
  const after = new Map(to.packages.map((item) => [item.name, item]));
  return {
    added: to.packages.filter(({ name }) => !before.has(name)),
    removed: from.packages.filter(({ name }) => !after.has(name)),
    changed: to.packages.flatMap((item) => {
      const old = before.get(item.name);
      return old && old.sha256 !== item.sha256 ? [{ from: old, to: item }] : [];
    }),
  };
}
