import { join } from 'node:path';
import { type Progress, silentProgress } from '@plinth/base';
import { readLock } from '@plinth/debian';
import { type BuiltGoComponent, type BuiltLayer, buildKubernetes, goComponentSource } from '@plinth/image';
import type { Toolbox } from '@plinth/toolbox';
import { loadKeys } from '@plinth/trust';
import { REPOSITORY_OS_DIR } from './build-plinth.ts';

/** The newest layer, signed by the keys of the bench, and the containerd of the image. */
export interface BuiltKubernetes {
  readonly layer: BuiltLayer;
  readonly containerd: BuiltGoComponent;
}

/** newestLayer builds as the command line does; what is compiled comes from the user's cache. */
export async function newestLayer(
  toolbox: Toolbox,
  keysDir: string,
  progress: Progress = silentProgress,
): Promise<BuiltKubernetes> {
  const osDir = REPOSITORY_OS_DIR;
  const compile = goComponentSource({ goDir: join(osDir, '../go'), lockDir: osDir });
  const layers = await buildKubernetes({
    ...{ osDir, toolbox, compile, progress },
    lock: await readLock(join(osDir, 'plinth.lock.json')),
    layerLock: await readLock(join(osDir, 'kubernetes.lock.json')),
    key: (await loadKeys(keysDir)).signers.verity,
  });
  const layer = [...layers.values()].at(-1);
  const containerd = (await compile(['containerd'], progress)).get('containerd');
  if (!layer || !containerd) throw new Error('no layer was built');
  return { layer, containerd };
}
