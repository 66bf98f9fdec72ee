import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Progress, silentProgress } from '@plinth/base';
import { fetchPackages, findMirrors, type Lock, type Mirrors, requireFreshLock } from '@plinth/debian';
import { openStageCache, type StageCache, withLock } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import { BOOT_FILES, type BuildKeys, makeBootChain } from '../boot/boot-chain.ts';
import { makeDisk } from '../disk/make-disk.ts';
import { readSlotSizes } from '../disk/slot-sizes.ts';
import { packInitrd, readInitrdParts } from '../initrd/make-initrd.ts';
import { planInitrd } from '../initrd/plan-initrd.ts';
import { addVerity, makeRootFilesystem, type RootImage } from '../root/make-root.ts';
import { type InitrdSpec, loadOsSpec, type OsSpec, packageSetOf } from '../spec/os-spec.ts';
import { openTree } from '../tree/disk-tree.ts';
import { type AgentRecipe, buildTree, type TreeResult } from './build-tree.ts';
import { digestFolder } from './digest-folder.ts';
import { gateSizes, gateTree } from './gate-tree.ts';

export interface BuildOptions {
  /** The `os` folder: what the operating system is. */
  readonly osDir: string;
  readonly lock: Lock;
  /** Where the lock was read from, for messages. */
  readonly lockPath: string;
  readonly toolbox: Toolbox;
  readonly keys: BuildKeys;
  readonly agent: AgentRecipe;
  readonly mirrors?: Mirrors;
  readonly cache?: StageCache;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/** Everything one build made, as folders of the stage cache; a release is written from it. */
export interface BuiltImage {
  readonly spec: OsSpec;
  readonly version: string;
  readonly rootHash: string;
  /** The one time all files carry: that of the newest package index, so it moves only with the lock. */
  readonly epochSeconds: number;
  readonly tree: TreeResult;
  readonly root: RootImage;
  readonly initrdPath: string;
  readonly kernelConfigPath: string;
  /** Folder with BOOT_FILES. */
  readonly bootDir: string;
  /** The raw disk. */
  readonly diskPath: string;
}

/**
 * buildImage turns the lock and the os folder into a bootable disk: packages, tree, root, initrd, boot chain, disk.
 * Each step is a stage found again by the hash of its inputs, so only what follows from a change is made anew.
 * @throws image/…, debian/…, policy/violations, host/disk-full, host/locked when the same cache is being built in
 */
export async function buildImage(options: BuildOptions): Promise<BuiltImage> {
  const cache = options.cache ?? openStageCache();
  // Modes in the image must not depend on the caller's umask.
  const umask = process.umask(0o022);
  try {
    return await withLock(join(cache.root, 'build.lock'), 'build the image', () => build(options, cache));
  } finally {
    process.umask(umask);
  }
}

async function build(options: BuildOptions, cache: StageCache): Promise<BuiltImage> {
  const { osDir, lock, toolbox, progress = silentProgress } = options;
  const { os: spec, initrd: initrdSpec } = await loadOsSpec(osDir);
  requireFreshLock(lock, packageSetOf(spec), options.lockPath);
  const epochSeconds = Math.floor(Date.parse(lock.created) / 1000);
  const debs = await fetchPackages(lock.packages, {
    mirrors: options.mirrors ?? (await findMirrors()),
    progress,
    ...(options.signal && { signal: options.signal }),
  });
  const { agent, signal } = options;
  const tree = await buildTree(
    { spec, osDir, packages: lock.packages, debs, agent, toolbox, cache, ...(signal && { signal }) },
    progress,
  );
  const context: Context = { options, cache, progress, spec, tree, epochSeconds };
  const gate = {
    osDir,
    toolbox,
    cache,
    packages: lock.packages.map(({ name }) => name),
    today: new Date().toISOString().slice(0, 10),
  };
  const [root, initrdPath] = await Promise.all([
    makeRoot(context),
    makeInitrd(context, initrdSpec),
    gateTree(tree, gate, progress),
  ]);
  const bootDir = await makeBoot(context, root, initrdPath);
  const [hashTree, uki] = await Promise.all([stat(root.hashTreePath), stat(join(bootDir, BOOT_FILES.uki))]);
  await gateSizes({ root: root.sizeBytes, verity: hashTree.size, uki: uki.size }, gate);
  const diskPath = await makeRawDisk(context, root, bootDir);
  return {
    spec,
    version: spec.version,
    rootHash: root.rootHash,
    epochSeconds,
    tree,
    root,
    initrdPath,
    kernelConfigPath: await kernelFile(tree, 'config-'),
    bootDir,
    diskPath,
  };
}

/** What every stage below needs. */
interface Context {
  readonly options: BuildOptions;
  readonly cache: StageCache;
  readonly progress: Progress;
  readonly spec: OsSpec;
  readonly tree: TreeResult;
  readonly epochSeconds: number;
}

const SOURCE = join(import.meta.dirname, '..');

async function makeRoot({ options, cache, progress, spec, tree, epochSeconds }: Context): Promise<RootImage> {
  const { toolbox } = options;
  const seed = `${spec.name} ${spec.version}`;
  const slots = await readSlotSizes(join(options.osDir, 'repart.d'));
  const dir = await cache.stage(
    'root',
    'Pack the root file system and its hash tree',
    {
      builder: await digestFolder(join(SOURCE, 'root')),
      toolbox: toolbox.key,
      tree: tree.key,
      epochSeconds,
      seed,
      slots,
    },
    progress,
    async (work) => {
      await makeRootFilesystem(tree.root, work, { toolbox, epochSeconds, seed });
      const root = await addVerity(work, { seed, slots });
      const { rootHash, sizeBytes } = root;
      await writeFile(join(work, 'root.json'), JSON.stringify({ rootHash, sizeBytes }));
    },
  );
  const { rootHash, sizeBytes } = JSON.parse(await readFile(join(dir, 'root.json'), 'utf8')) as RootImage;
  return { imagePath: join(dir, 'root.erofs'), hashTreePath: join(dir, 'root.verity'), rootHash, sizeBytes };
}

async function makeInitrd(
  { options, cache, progress, tree, epochSeconds }: Context,
  spec: InitrdSpec,
): Promise<string> {
  const { toolbox, osDir } = options;
  const paths = planInitrd(spec, openTree(tree.root), tree.kernelVersion);
  const parts = await readInitrdParts(tree.root, paths, osDir, tree.kernelVersion);
  const dir = await cache.stage(
    'initrd',
    'Pack the initrd',
    {
      builder: await digestFolder(join(SOURCE, 'initrd')),
      toolbox: toolbox.key,
      parts: parts.digest,
      epochSeconds,
    },
    progress,
    (work) => packInitrd(parts, join(work, 'initrd.zst'), toolbox, epochSeconds),
  );
  return join(dir, 'initrd.zst');
}

async function makeBoot(
  { options, cache, progress, spec, tree, epochSeconds }: Context,
  root: RootImage,
  initrdPath: string,
): Promise<string> {
  const { toolbox, keys } = options;
  const efi = join(tree.packageDir('systemd-boot-efi'), 'usr/lib/systemd/boot/efi');
  const inputs = {
    spec,
    rootHash: root.rootHash,
    kernelPath: await kernelFile(tree, 'vmlinuz-'),
    kernelVersion: tree.kernelVersion,
    initrdPath,
    stubPath: join(efi, 'linuxx64.efi.stub'),
    loaderPath: join(efi, 'systemd-bootx64.efi'),
    osReleasePath: join(tree.root, 'usr/lib/os-release'),
    keys,
    toolbox,
    epochSeconds,
  };
  return cache.stage(
    'boot',
    'Make and sign the UKI and the boot loader',
    {
      builder: await digestFolder(join(SOURCE, 'boot')),
      toolbox: toolbox.key,
      spec,
      rootHash: root.rootHash,
      initrd: basename(join(initrdPath, '..')),
      kernel: tree.kernelVersion,
      loader: basename(tree.packageDir('systemd-boot-efi')),
      keys: [keys.boot, keys.verity, keys.pcr].map((signer) => signer.keyId),
      epochSeconds,
    },
    progress,
    (work) => makeBootChain(inputs, work),
  );
}

async function makeRawDisk(
  { options, cache, progress, spec, epochSeconds }: Context,
  root: RootImage,
  bootDir: string,
): Promise<string> {
  const { toolbox, osDir } = options;
  const dir = await cache.stage(
    'disk',
    'Write the disk',
    {
      builder: await digestFolder(join(SOURCE, 'disk')),
      toolbox: toolbox.key,
      repart: await digestFolder(join(osDir, 'repart.d')),
      spec,
      boot: basename(bootDir),
      epochSeconds,
    },
    progress,
    async (work) => {
      const veritySignatureJson = await readFile(join(bootDir, BOOT_FILES.veritySignature), 'utf8');
      await makeDisk(
        {
          spec,
          root,
          veritySignatureJson,
          bootLoaderPath: join(bootDir, BOOT_FILES.loader),
          ukiPath: join(bootDir, BOOT_FILES.uki),
          epochSeconds,
        },
        osDir,
        work,
        toolbox,
      );
    },
  );
  return join(dir, 'disk.raw');
}

/** A file the kernel package keeps in /boot, which the tree itself does not carry. */
async function kernelFile(tree: TreeResult, prefix: string): Promise<string> {
  const folder = join(tree.packageDir(`linux-image-${tree.kernelVersion}`), 'boot');
  const name = (await readdir(folder)).find((each) => each.startsWith(prefix));
  return join(folder, name ?? prefix);
}
