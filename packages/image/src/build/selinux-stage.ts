import { basename, join } from 'node:path';
import type { Progress } from '@plinth/base';
import type { StageCache } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import { buildSelinuxPolicy } from '../tree/selinux-policy.ts';
import { digestFolder } from './digest-folder.ts';

const TREE_SOURCE = join(import.meta.dirname, '..', 'tree');

/** The package the image's policy is compiled from. */
export const SELINUX_PACKAGE = 'selinux-policy-default';

/**
 * selinuxStage compiles the image's SELinux policy, once for all that is labelled by it: the image and its layers.
 * @param packageDir the unpacked SELINUX_PACKAGE
 * @returns folder with `default`, the contents of /etc/selinux/default
 */
export async function selinuxStage(
  packageDir: string,
  { toolbox, cache }: { readonly toolbox: Toolbox; readonly cache: StageCache },
  progress: Progress,
): Promise<string> {
  const builder = await digestFolder(TREE_SOURCE);
  return cache.stage(
    'selinux',
    'Compile the SELinux policy',
    { builder, toolbox: toolbox.key, policy: basename(packageDir) },
    progress,
    (dir) => buildSelinuxPolicy(packageDir, dir, toolbox),
  );
}
