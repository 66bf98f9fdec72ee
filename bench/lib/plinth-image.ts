import { join } from 'node:path';
import type { Progress } from '@plinth/base';
import { agentRecipe } from '@plinth/cli';
import { readLock } from '@plinth/debian';
import { openStageCache } from '@plinth/host';
import { type BuiltImage, buildImage, goComponentSource } from '@plinth/image';
import { initUpdateKeys, readTrustedRoot } from '@plinth/publish';
import { openToolbox } from '@plinth/toolbox';
import { loadKeys } from '@plinth/trust';

export interface PlinthInputs {
  readonly osDir: string;
  /** Folder of the stage cache; an empty one makes every stage anew. */
  readonly stagesDir: string;
  readonly keysDir: string;
}

/** plinthImage builds the image as the command line does, with the cache and the keys of the bench. */
export async function plinthImage(inputs: PlinthInputs, progress: Progress): Promise<BuiltImage> {
  const { osDir, stagesDir, keysDir } = inputs;
  const toolbox = await openToolbox();
  const lockPath = join(osDir, 'plinth.lock.json');
  const { boot, verity, pcr, release } = (await loadKeys(keysDir)).signers;
  await initUpdateKeys(keysDir);
  return buildImage({
    osDir,
    lock: await readLock(lockPath),
    lockPath,
    toolbox,
    keys: { boot, verity, pcr, release },
    updateRoot: await readTrustedRoot(keysDir),
    agent: await agentRecipe(toolbox, new AbortController().signal),
    // From the user's cache: what is measured is the image, not the compiler.
    compile: goComponentSource({ goDir: join(import.meta.dirname, '../../go'), lockDir: osDir }),
    cache: openStageCache(stagesDir),
    progress,
  });
}
