import { PlinthError } from '@plinth/base';
import type { OsSpec } from '../spec/os-spec.ts';
import type { PackageEntry } from './scan-package.ts';

export interface PlannedEntry extends PackageEntry {
  /** The package the entry comes from. */
  readonly owner: string;
}

export interface RemovedEntry {
  readonly path: string;
  readonly owner: string;
  readonly reason: string;
}

/** What the tree will hold and what it leaves out, decided before anything is written. */
export interface TreePlan {
  /** Sorted by path; a folder comes before what is in it. */
  readonly entries: readonly PlannedEntry[];
  readonly removed: readonly RemovedEntry[];
  /** Rules of os/plinth.yaml that matched nothing: they can go. */
  readonly unusedRules: readonly string[];
}

/**
 * planTree merges the packages' entries into one tree by the rules of os/plinth.yaml.
 * The result does not depend on the order of packages.
 * @throws image/file-conflict when two packages ship different files at one path
 */
export function planTree(
  packages: ReadonlyMap<string, readonly PackageEntry[]>,
  spec: Pick<OsSpec, 'removed' | 'scriptPaths'>,
): TreePlan {
  const entries = new Map<string, PlannedEntry>();
  const removed: RemovedEntry[] = [];
  const used = new Set<string>();
  for (const owner of [...packages.keys()].sort()) {
    for (const entry of packages.get(owner) ?? []) {
      const rule = spec.removed.find((each) => covers(each.path, entry.path));
      if (rule) {
        used.add(rule.path);
        if (entry.kind !== 'directory') removed.push({ path: entry.path, owner, reason: rule.reason });
        continue;
      }
      if (entry.script && spec.scriptPaths.some((folder) => entry.path.startsWith(folder))) {
        removed.push({ path: entry.path, owner, reason: 'a script; the image has no interpreter' });
        continue;
      }
      const present = entries.get(entry.path);
      if (present === undefined) entries.set(entry.path, { ...entry, owner });
      else if (!compatible(present, entry)) throw conflict(present, entry, owner);
    }
  }
  const kept = dropEmptyFolders([...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1)));
  return {
    entries: kept,
    removed: removed.sort((a, b) => (a.path < b.path ? -1 : 1)),
    unusedRules: spec.removed.map((rule) => rule.path).filter((path) => !used.has(path)),
  };
}

/** A rule that ends with a slash covers the folder and all below it; "*" stands for any one name. */
function covers(rule: string, path: string): boolean {
  const wanted = rule.split('/');
  const below = wanted.at(-1) === '';
  if (below) wanted.pop();
  const parts = path.split('/');
  if (below ? parts.length < wanted.length : parts.length !== wanted.length) return false;
  return wanted.every((name, index) => name === '*' || name === parts[index]);
}

/** Folders may be shared; so may links that say the same. */
function compatible(a: PackageEntry, b: PackageEntry): boolean {
  if (a.kind === 'directory' && b.kind === 'directory') return true;
  return a.kind === 'symlink' && b.kind === 'symlink' && a.target === b.target;
}

function conflict(present: PlannedEntry, entry: PackageEntry, owner: string): PlinthError {
  return new PlinthError(
    'image/file-conflict',
    `Cannot assemble ${entry.path}: ${present.owner} ships a ${present.kind} and ${owner} a ${entry.kind}, expected one owner`,
  );
}

/** Folders that only held what was removed go too; those that a package ships empty on purpose stay. */
function dropEmptyFolders(entries: readonly PlannedEntry[]): PlannedEntry[] {
  const wanted = new Set<string>();
  for (const entry of entries) {
    if (entry.kind === 'directory' && !TOP_LEVEL.test(entry.path)) continue;
    for (let path = entry.path; path !== ''; path = path.slice(0, path.lastIndexOf('/'))) wanted.add(path);
  }
  return entries.filter((entry) => wanted.has(entry.path));
}

const TOP_LEVEL = /^\/[^/]+$/;
