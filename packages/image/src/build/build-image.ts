import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Progress, silentProgress } from '@plinth/base';
import { fetchPackages, findMirrors, type Lock, type Mirrors, requireFreshLock } from '@plinth/debian';
import { openStageCache, type StageCache, withLock } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import { BOOT_FILES, type BuildKeys } from '../boot/boot-chain.ts';
import type { GoComponentSource } from '../go/provide-go-components.ts';
import type { ExecuteLevel } from '../ipe/ipe-policy.ts';
import type { RootImage } from '../root/make-root.ts';
import { loadOsSpec, type OsSpec, packageSetOf } from '../spec/os-spec.ts';
import { type AgentRecipe, buildTree, type TreeResult } from './build-tree.ts';
import { gateSizes, gateTree } from './gate-tree.ts';
import {
  kernelFile,
  makeBoot,
  makeInitrd,
  makeRawDisk,
  makeRoot,
  type StageContext,
} from './image-stages.ts';

export interface BuildOptions {
  /** The `os` folder: what the operating system is. */
  readonly osDir: string;
  readonly lock: Lock;
  /** Where the lock was read from, for messages. */
  readonly lockPath: string;
  readonly toolbox: Toolbox;
  readonly keys: BuildKeys;
  /** The root metadata that nodes of this image believe updates by, as the file's bytes. */
  readonly updateRoot: Uint8Array;
  readonly agent: AgentRecipe;
  /** Compiles the image's programs of go/. */
  readonly compile: GoComponentSource;
  /** What may execute; default: what os/plinth.yaml says. */
  readonly execute?: ExecuteLevel;
  /** Whether a new /var is encrypted; default: what os/plinth.yaml says. */
  readonly encryptVar?: OsSpec['storage']['var']['encrypt'];
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
  const { os, initrd: initrdSpec } = await loadOsSpec(osDir);
  const spec: OsSpec = {
    ...os,
    execute: options.execute ?? os.execute,
    storage: { var: { encrypt: options.encryptVar ?? os.storage.var.encrypt } },
  };
  requireFreshLock(lock, packageSetOf(spec), options.lockPath);
  const epochSeconds = Math.floor(Date.parse(lock.created) / 1000);
  const debs = await fetchPackages(lock.packages, {
    mirrors: options.mirrors ?? (await findMirrors()),
    progress,
    ...(options.signal && { signal: options.signal }),
  });
  const { agent, updateRoot, compile, signal } = options;
  const parts = { spec, osDir, packages: lock.packages, debs, agent, updateRoot, compile, toolbox, cache };
  const tree = await buildTree({ ...parts, ...(signal && { signal }) }, progress);
  const context: StageContext = { options, cache, progress, spec, tree, epochSeconds };
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
