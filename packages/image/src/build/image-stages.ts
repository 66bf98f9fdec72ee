import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Progress } from '@plinth/base';
import { EROFS_LAYOUT } from '@plinth/formats';
import type { StageCache } from '@plinth/host';
import { BOOT_FILES, makeBootChain } from '../boot/boot-chain.ts';
import { makeDisk } from '../disk/make-disk.ts';
import { readSlotSizes } from '../disk/slot-sizes.ts';
import { packInitrd, readInitrdParts } from '../initrd/make-initrd.ts';
import { planInitrd } from '../initrd/plan-initrd.ts';
import { IPE_POLICY_PATH } from '../ipe/ipe-policy.ts';
import { addVerity, makeRootFilesystem, type RootImage } from '../root/make-root.ts';
import type { InitrdSpec, OsSpec } from '../spec/os-spec.ts';
import { openTree } from '../tree/disk-tree.ts';
import type { BuildOptions } from './build-image.ts';
import type { TreeResult } from './build-tree.ts';
import { digestFolder } from './digest-folder.ts';

/** What every stage below needs. */
export interface StageContext {
  readonly options: BuildOptions;
  readonly cache: StageCache;
  readonly progress: Progress;
  readonly spec: OsSpec;
  readonly tree: TreeResult;
  readonly epochSeconds: number;
}

const SOURCE = join(import.meta.dirname, '..');

/**
 * makeRoot packs the tree and computes its hash tree.
 * @throws image/too-large
 */
export async function makeRoot({
  options,
  cache,
  progress,
  spec,
  tree,
  epochSeconds,
}: StageContext): Promise<RootImage> {
  const { toolbox } = options;
  // Not of the version: an unchanged block keeps its hash from version to version, or no update could be small.
  const seed = spec.name;
  const slots = await readSlotSizes(join(options.osDir, 'repart.d'));
  const dir = await cache.stage(
    'root',
    'Pack the root file system and its hash tree',
    {
      builder: await digestFolder(join(SOURCE, 'root')),
      layout: EROFS_LAYOUT,
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

/**
 * makeInitrd packs the initrd from the tree's own files; its key is what it holds, not the tree it came from.
 * @throws image/initrd-incomplete
 */
export async function makeInitrd(
  { options, cache, progress, spec, tree }: StageContext,
  initrd: InitrdSpec,
): Promise<string> {
  const { toolbox, osDir } = options;
  const paths = planInitrd(initrd, openTree(tree.root), tree.kernelVersion);
  const sealVar = spec.storage.var.encrypt === 'tpm2';
  const parts = await readInitrdParts(tree.root, paths, osDir, tree.kernelVersion, sealVar);
  const dir = await cache.stage(
    'initrd',
    'Pack the initrd',
    {
      builder: await digestFolder(join(SOURCE, 'initrd')),
      toolbox: toolbox.key,
      parts: parts.digest,
    },
    progress,
    (work) => packInitrd(parts, join(work, 'initrd.zst'), toolbox),
  );
  return join(dir, 'initrd.zst');
}

/**
 * makeBoot makes and signs what firmware and kernel check.
 * @throws image/stub-unknown, trust/signing-failed
 */
export async function makeBoot(
  { options, cache, progress, spec, tree, epochSeconds }: StageContext,
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
    ipePolicy: await readFile(join(tree.root, IPE_POLICY_PATH), 'utf8'),
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
      ipePolicy: inputs.ipePolicy,
      kernel: tree.kernelVersion,
      loader: basename(tree.packageDir('systemd-boot-efi')),
      keys: [keys.boot, keys.verity, keys.pcr].map((signer) => signer.keyId),
      epochSeconds,
    },
    progress,
    (work) => makeBootChain(inputs, work),
  );
}

/**
 * makeRawDisk writes the raw disk.
 */
export async function makeRawDisk(
  { options, cache, progress, spec, epochSeconds }: StageContext,
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

/**
 * kernelFile is a file the kernel package keeps in /boot, which the tree itself does not carry.
 */
export async function kernelFile(tree: TreeResult, prefix: string): Promise<string> {
  const folder = join(tree.packageDir(`linux-image-${tree.kernelVersion}`), 'boot');
  const name = (await readdir(folder)).find((each) => each.startsWith(prefix));
  return join(folder, name ?? prefix);
}
