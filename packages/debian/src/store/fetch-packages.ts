import { copyFile, mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PlinthError, type Progress, silentProgress } from '@plinth/base';
import { download, hashFile, mapParallel, withLock } from '@plinth/host';
import type { Mirrors } from '../archive/mirrors.ts';
import type { LockedPackage } from '../lock/lock.ts';
import { openPackageStore, type PackageStore } from './package-store.ts';

export interface FetchPackagesOptions {
  readonly mirrors: Mirrors;
  /** Default: the store in the user's cache directory. */
  readonly store?: PackageStore | undefined;
  /** Folders with .deb files to look in before the mirror is asked; apt's own cache is always one of them. */
  readonly pools?: readonly string[];
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}

const PARALLEL = 6;
const APT_CACHE = '/var/cache/apt/archives';

/**
 * fetchPackages makes sure that all packages are in the store, verified, and tells where: name → path.
 * What arrived before a failure is kept, so the next call goes on from there.
 * @throws debian/package-gone naming all that the mirror no longer has, host/download-failed, host/digest-mismatch
 */
export async function fetchPackages(
  packages: readonly LockedPackage[],
  options: FetchPackagesOptions,
): Promise<Map<string, string>> {
  const store = options.store ?? openPackageStore();
  const progress = options.progress ?? silentProgress;
  return progress.step(`Fetch ${packages.length} packages`, async (step) => {
    const found = await mapParallel(packages, PARALLEL, (item) => store.find(item));
    const paths = new Map(
      packages.flatMap((item, index) => (found[index] ? [[item.name, found[index]]] : [])),
    );
    const missing = packages.filter(({ name }) => !paths.has(name));
    if (missing.length === 0) step.cached('all are in the package store');
    else await fetchMissing(missing, paths, store, options, step);
    return paths;
  });
}

async function fetchMissing(
  missing: readonly LockedPackage[],
  paths: Map<string, string>,
  store: PackageStore,
  options: FetchPackagesOptions,
  step: Progress,
): Promise<void> {
  const totalBytes = missing.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const received = new Map<string, number>();
  const report = (name: string, bytes: number) => {
    received.set(name, bytes);
    const sum = received.values().reduce((total, each) => total + each, 0);
    step.note(`${megabytes(sum)} of ${megabytes(totalBytes)} MB`);
  };
  const gone: LockedPackage[] = [];
  await mapParallel(missing, PARALLEL, async (item) => {
    try {
      paths.set(item.name, await fetchOne(item, store, options, (bytes) => report(item.name, bytes)));
    } catch (reason) {
      // One missing package rarely comes alone: go on, to name them all at once.
      if (!(reason instanceof PlinthError && reason.code === 'host/download-missing')) throw reason;
      gone.push(item);
    }
  });
  if (gone.length > 0) throw packagesGone(gone);
}

async function fetchOne(
  item: LockedPackage,
  store: PackageStore,
  { mirrors, pools = [], signal }: FetchPackagesOptions,
  onBytes: (receivedBytes: number) => void,
): Promise<string> {
  const path = store.pathOf(item);
  // Two processes must not write into one half-fetched file.
  return withLock(
    `${path}.lock`,
    `fetch ${item.name}`,
    async () => {
      const found = (await store.find(item)) ?? (await takeFromPools(item, path, [APT_CACHE, ...pools]));
      if (found === undefined) {
        const { sha256, sizeBytes } = item;
        await download(`${mirrors[item.archive]}/${item.path}`, path, { sha256, sizeBytes, onBytes, signal });
      }
      onBytes(item.sizeBytes);
      return path;
    },
    { signal },
  );
}

/** Copies the file out of the first folder that has it, under apt's name for it or as part of a mirror tree. */
async function takeFromPools(
  item: LockedPackage,
  path: string,
  pools: readonly string[],
): Promise<string | undefined> {
  const aptName = `${item.name}_${item.version.replaceAll(':', '%3a')}_`;
  const names = [`${aptName}amd64.deb`, `${aptName}all.deb`, basename(item.path), item.path];
  for (const candidate of pools.flatMap((pool) => names.map((name) => join(pool, name)))) {
    // A pool is a shortcut: whatever is wrong with a file there, the mirror is asked next.
    if ((await stat(candidate).catch(() => undefined))?.size !== item.sizeBytes) continue;
    if ((await hashFile(candidate).catch(() => undefined))?.sha256 !== item.sha256) continue;
    const copy = `${path}.${process.pid}.copy`;
    try {
      await mkdir(join(path, '..'), { recursive: true });
      await copyFile(candidate, copy);
      await rename(copy, path);
    } finally {
      await rm(copy, { force: true });
    }
    return path;
  }
  return undefined;
}

function packagesGone(gone: readonly LockedPackage[]): PlinthError {
  const names = gone.map(({ name, version }) => `${name} ${version}`).sort();
  const state = `the mirror no longer has ${names.join(', ')}`;
  return new PlinthError('debian/package-gone', `Cannot fetch ${gone.length} locked packages: ${state}`, {
    hint: 'Run "plinth lock --update" to move to the versions the mirror has now.',
    details: { packages: names.join(', ') },
  });
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
