import { basename, join } from 'node:path';
import type { Progress } from '@plinth/base';
import type { StageCache } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import { loadSelinuxSpec } from '../spec/selinux-spec.ts';
import { buildSelinuxPolicy } from '../tree/selinux-policy.ts';
import { digestFolder } from './digest-folder.ts';

const TREE_SOURCE = join(import.meta.dirname, '..', 'tree');

/** The package with the reference policy. */
export const SELINUX_PACKAGE = 'selinux-policy-default';

/**
 * selinuxStage compiles the image's SELinux policy, once for all that is labelled by it: the image and its layers.
 * @param packageDir the unpacked SELINUX_PACKAGE
 * @returns folder with `default`, the contents of /etc/selinux/default
 * @throws image/spec-invalid, host/command-failed with what the compiler says
 */
export async function selinuxStage(
  packageDir: string,
  inputs: { readonly osDir: string; readonly toolbox: Toolbox; readonly cache: StageCache },
  progress: Progress,
): Promise<string> {
  const { osDir, toolbox, cache } = inputs;
  const folder = join(osDir, 'selinux');
  const spec = await loadSelinuxSpec(folder);
  const builder = await digestFolder(TREE_SOURCE);
  return cache.stage(
    'selinux',
    'Compile the SELinux policy',
    {
      builder,
      toolbox: toolbox.key,
      policy: basename(packageDir),
      spec,
      own: await digestFolder(folder),
    },
    progress,
    (dir) => buildSelinuxPolicy({ packageDir, folder, ...spec }, dir, toolbox),
  );
}
