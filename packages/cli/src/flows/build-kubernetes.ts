import { join } from 'node:path';
import { readLock } from '@plinth/debian';
import { type BuiltLayer, buildKubernetes } from '@plinth/image';
import { openToolbox } from '@plinth/toolbox';
import type { CommandContext } from '../framework/context.ts';
import { compileComponents } from './compile-components.ts';
import type { KeyFolderOptions } from './key-folder.ts';
import { openKeys } from './open-keys.ts';
import { osDir, useLock } from './use-lock.ts';

export interface BuildKubernetesFlowOptions extends KeyFolderOptions {
  readonly frozen: boolean;
  readonly jobs?: number | undefined;
  /** Empty for all. */
  readonly minors: readonly string[];
}

/**
 * buildLayers makes the Kubernetes layers with everything they need: keys, the two toolboxes, the compiled components.
 * @throws go/…, toolbox/…, debian/…, image/…, policy/violations, trust/…
 */
export async function buildLayers(
  options: BuildKubernetesFlowOptions,
  context: CommandContext,
): Promise<Map<string, BuiltLayer>> {
  const { progress, signal } = context;
  const { minors } = options;
  const keys = await openKeys(options, context);
  const toolbox = await progress.step('Open the toolbox', (step) =>
    useLock('toolbox', options, context, step, (lockDir) => openToolbox({ lockDir, progress: step, signal })),
  );
  return progress.step('Build Kubernetes', (step) =>
    useLock('kubernetes', options, context, step, async (lockDir) =>
      buildKubernetes({
        ...{ osDir, toolbox, progress: step, signal },
        compile: compileComponents(options, context),
        lock: await readLock(join(osDir, 'plinth.lock.json')),
        layerLock: await readLock(join(lockDir, 'kubernetes.lock.json')),
        minors: minors.length === 0 ? undefined : minors,
        key: keys.signers.verity,
      }),
    ),
  );
}
