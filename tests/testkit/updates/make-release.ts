import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PlinthError } from '@plinth/base';
import { agentRecipe } from '@plinth/cli';
import { readLock } from '@plinth/debian';
import { openStageCache, removeTree } from '@plinth/host';
import { type BuiltImage, buildImage, goComponentSource, releaseImage, secureBootKeys } from '@plinth/image';
import { initUpdateKeys, readTrustedRoot } from '@plinth/publish';
import type { KeyRing } from '@plinth/trust';
import type { BootLab } from '../boot-lab.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const UKI_FILE = 'plinth.efi';

/** A release that differs from the one under test in what a test needs, and in its version. */
export interface ReleaseRecipe {
  readonly version: string;
  /** What is otherwise, for people. */
  readonly what: string;
  /** Changes a copy of os/. */
  readonly changeOs?: (os: OsCopy) => Promise<void>;
  /** Changes the UKI before the manifest names it. */
  readonly changeUki?: (uki: Buffer, keys: KeyRing) => Promise<Uint8Array>;
}

/** A copy of os/ that a recipe changes. */
export interface OsCopy {
  /** Writes a file below os/. */
  write(path: string, text: string): Promise<void>;
  /** Makes a link below os/ that points to `target`, as a unit is wanted by another. */
  link(path: string, target: string): Promise<void>;
  /** Replaces a text that is there once. */
  replace(path: string, before: string, after: string): Promise<void>;
}

/**
 * makeRelease builds a release and gives its folder. What the recipe does not change comes from the stage cache; what is only
 * of this release leaves nothing there. It has what nodes fetch, and no disk: `plinth verify`
 * cannot see the whole. About 20 s and 170 MB.
 */
export async function makeRelease(lab: BootLab, recipe: ReleaseRecipe): Promise<string> {
  const folder = join(lab.scratch, 'releases', recipe.version);
  const osDir = join(lab.scratch, 'os', recipe.version);
  await copyOs(osDir, recipe);
  const { toolbox, keys, keysFolder } = lab;
  const lockDir = join(repository, 'os');
  const lockPath = join(osDir, 'plinth.lock.json');
  const lock = await readLock(lockPath);
  await initUpdateKeys(keysFolder);
  const agent = await agentRecipe(toolbox, new AbortController().signal);
  const { boot, verity, pcr, release } = keys.signers;
  const signers = { boot, verity, pcr, release };
  const updateRoot = await readTrustedRoot(keysFolder);
  const compile = goComponentSource({ goDir: join(repository, 'go'), lockDir });
  const built = await whenNobodyBuilds(() =>
    buildImage({ osDir, lock, lockPath, toolbox, agent, keys: signers, updateRoot, compile }),
  );
  const stages = join(lab.scratch, 'stages', recipe.version);
  try {
    const image = await withUki(built, recipe, keys, stages);
    const cache = openStageCache(stages);
    await releaseImage(image, {
      ...{ lock, toolbox, cache, formats: [], keys: signers, secureBoot: secureBootKeys(keys) },
      agentVersion: '0.1.0',
      outDir: folder,
    });
    return folder;
  } finally {
    for (const path of [built.diskPath, built.root.imagePath]) await removeTree(dirname(path));
    for (const path of [stages, osDir]) await removeTree(path);
  }
}

/** Builds by others in the same cache last minutes at most. */
async function whenNobodyBuilds<T>(build: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 600_000;
  for (;;) {
    try {
      return await build();
    } catch (reason) {
      const isBusy = reason instanceof PlinthError && reason.code === 'host/locked';
      if (!isBusy || performance.now() > deadline) throw reason;
      await sleep(1_000);
    }
  }
}

async function copyOs(osDir: string, { version, changeOs }: ReleaseRecipe): Promise<void> {
  await cp(join(repository, 'os'), osDir, { recursive: true, verbatimSymlinks: true });
  const os: OsCopy = {
    async write(path, text) {
      await mkdir(dirname(join(osDir, path)), { recursive: true });
      await writeFile(join(osDir, path), text);
    },
    async link(path, target) {
      await mkdir(dirname(join(osDir, path)), { recursive: true });
      await symlink(target, join(osDir, path));
    },
    async replace(path, before, after) {
      const text = await readFile(join(osDir, path), 'utf8');
      const [head, tail, ...more] = text.split(before);
      if (head === undefined || tail === undefined || more.length > 0) {
        throw new Error(`${path} has "${before}" ${more.length + (tail === undefined ? 0 : 1)} times`);
      }
      await writeFile(join(osDir, path), `${head}${after}${tail}`);
    },
  };
  const text = await readFile(join(osDir, 'plinth.yaml'), 'utf8');
  await writeFile(join(osDir, 'plinth.yaml'), text.replace(/^version: .*$/m, `version: ${version}`));
  await changeOs?.(os);
}

/** The boot folder is a stage that others may share: a changed UKI gets a folder of its own. */
async function withUki(
  image: BuiltImage,
  { version, changeUki }: ReleaseRecipe,
  keys: KeyRing,
  stages: string,
): Promise<BuiltImage> {
  if (!changeUki) return image;
  const bootDir = join(stages, `${basename(image.bootDir)}-${version}`);
  await cp(image.bootDir, bootDir, { recursive: true });
  const uki = await readFile(join(bootDir, UKI_FILE));
  await writeFile(join(bootDir, UKI_FILE), await changeUki(uki, keys));
  return { ...image, bootDir };
}
