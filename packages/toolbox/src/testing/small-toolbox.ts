import { copyFile, link, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  fetchPackages,
  findMirrors,
  openPackageStore,
  packageSetDigest,
  readLock,
  readPackageSet,
  writeLock,
} from '@plinth/debian';

/** Just enough to run `true`, a shell and `setpriv`; libraries are named because nothing is resolved here. */
const PACKAGES = (
  'base-files base-passwd bubblewrap coreutils dash libacl1 libattr1 libc-bin libc6 libcap-ng0 libcap2 libgcc-s1 ' +
  'libgmp10 libpcre2-8-0 libselinux1 libssl3t64 libsystemd0 libzstd1 util-linux zlib1g'
).split(' ');

/**
 * Writes the list and the lock of a small toolbox, cut out of the real one, and a store with its packages: the whole
 * of openToolbox runs for real in about a second.
 */
export async function writeSmallToolbox(dir: string): Promise<{ lockDir: string; storeRoot: string }> {
  const real = await readLock(fileURLToPath(new URL('../../../../os/toolbox.lock.json', import.meta.url)));
  const packages = real.packages.filter(({ name }) => PACKAGES.includes(name));
  const listPath = join(dir, 'toolbox.yaml');
  const list = packages.map(({ name }) => `  - { name: ${name}, reason: part of a small toolbox }\n`);
  await writeFile(listPath, `suites: [trixie]\npackages:\n${list.join('')}`);
  const specDigest = packageSetDigest(await readPackageSet(listPath));
  await writeLock(join(dir, 'toolbox.lock.json'), { ...real, packages, specDigest });

  const store = openPackageStore();
  const debs = await fetchPackages(packages, { mirrors: await findMirrors(), store });
  const storeRoot = join(dir, 'packages');
  await mkdir(storeRoot);
  const own = openPackageStore(storeRoot);
  for (const item of packages) await linkOrCopy(debs.get(item.name) ?? '', own.pathOf(item));
  return { lockDir: dir, storeRoot };
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  // The cache may lie on another file system than the place for temporary files.
  await link(from, to).catch(() => copyFile(from, to));
}
