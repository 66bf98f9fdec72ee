import { join } from 'node:path';
import { type Lock, readLock } from '@plinth/debian';
import type { StageCache } from '@plinth/host';
import { type BuiltImage, buildImage, type ExecuteLevel } from '@plinth/image';
import { openToolbox, type Toolbox } from '@plinth/toolbox';
import type { KeyRing } from '@plinth/trust';
import type { CommandContext } from '../framework/context.ts';
import { agentRecipe } from './agent-recipe.ts';
import { compileComponents } from './compile-components.ts';
import type { KeyFolderOptions } from './key-folder.ts';
import { openKeys, openUpdateRoot } from './open-keys.ts';
import { osDir, useLock } from './use-lock.ts';

export interface BuildDiskOptions extends KeyFolderOptions {
  readonly frozen: boolean;
  /** What may execute; default: what os/plinth.yaml says. */
  readonly execute?: ExecuteLevel | undefined;
  /** Default: the stages in the user's cache. */
  readonly cache?: StageCache;
}

/** A built image with what it was built by. */
export interface BuiltDisk {
  readonly image: BuiltImage;
  readonly lock: Lock;
  readonly keys: KeyRing;
  readonly toolbox: Toolbox;
}

/**
 * buildDisk makes everything a bootable disk needs, from keys to toolbox, and the disk itself. What has not changed
 * since the last time is taken from the cache.
 * @throws trust/…, toolbox/…, debian/…, image/…, policy/…, host/disk-full
 */
export async function buildDisk(options: BuildDiskOptions, context: CommandContext): Promise<BuiltDisk> {
  const { progress, signal } = context;
  const keys = await openKeys(options, context);
  const updateRoot = await openUpdateRoot(options, context);
  const toolbox = await progress.step('Open the toolbox', (step) =>
    useLock('toolbox', options, context, step, (lockDir) => openToolbox({ lockDir, progress: step, signal })),
  );
  return progress.step('Build the image', (step) =>
    useLock('plinth', options, context, step, async (lockDir) => {
      const lockPath = join(lockDir, 'plinth.lock.json');
      const lock = await readLock(lockPath);
      const { boot, verity, pcr, release } = keys.signers;
      const image = await buildImage({
        osDir,
        lock,
        lockPath,
        toolbox,
        keys: { boot, verity, pcr, release },
        updateRoot,
        agent: await agentRecipe(toolbox, signal),
        compile: compileComponents(options, context),
        progress: step,
        signal,
        ...(options.execute && { execute: options.execute }),
        ...(options.cache && { cache: options.cache }),
      });
      return { image, lock, keys, toolbox };
    }),
  );
}
