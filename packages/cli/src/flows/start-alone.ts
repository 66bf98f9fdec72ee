import { listMachines } from '@plinth/local';
import { openToolbox } from '@plinth/toolbox';
import { loadKeys } from '@plinth/trust';
import type { CommandContext } from '../framework/context.ts';
import { usageError } from '../framework/usage-error.ts';
import { type KeyFolderOptions, keyFolder, readPassphrase } from './key-folder.ts';
import { type StartedNode, type StartNodeOptions, startNode } from './start-node.ts';
import { useLock } from './use-lock.ts';

export type StartAloneOptions = KeyFolderOptions &
  Pick<StartNodeOptions, 'name' | 'memoryMiB' | 'cpus' | 'apiPort' | 'secureBoot'> & {
    /** Default: the disk the machine had before. */
    readonly disk: string | undefined;
  };

/** startAlone starts a machine on a disk that is there, and builds nothing but the toolbox. */
export async function startAlone(options: StartAloneOptions, context: CommandContext): Promise<StartedNode> {
  const { name } = options;
  const known = (await listMachines()).find((machine) => machine.name === name);
  const diskPath = options.disk ?? known?.record.base.path;
  if (diskPath === undefined)
    throw usageError(`machine "${name}" is new, expected --disk FILE`, 'Run "plinth up".');
  const folder = keyFolder(options, context.env);
  const keys = await loadKeys(folder, await readPassphrase(options, context.env));
  const { progress, signal } = context;
  const toolbox = await progress.step('Open the toolbox', (step) =>
    useLock('toolbox', { frozen: false }, context, step, (lockDir) =>
      openToolbox({ lockDir, progress: step, signal }),
    ),
  );
  return startNode({ ...options, diskPath, keys, keyFolder: folder, toolbox }, context);
}
