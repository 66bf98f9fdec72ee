import { type SignedWorkload, signWorkload } from '@plinth/image';
import { openToolbox } from '@plinth/toolbox';
import type { CommandContext } from '../framework/context.ts';
import type { KeyFolderOptions } from './key-folder.ts';
import { openKeys } from './open-keys.ts';
import { useLock } from './use-lock.ts';

export interface SignImageOptions extends KeyFolderOptions {
  /** OCI archive or layout. */
  readonly source: string;
  /** Folder that does not exist. */
  readonly output: string;
}

/** signImage signs a container image with the keys of the image's builder. @throws trust/…, toolbox/…, workload/… */
export async function signImage(options: SignImageOptions, context: CommandContext): Promise<SignedWorkload> {
  const { progress, signal } = context;
  const { source, output } = options;
  const keys = await openKeys(options, context);
  const toolbox = await progress.step('Open the toolbox', (step) =>
    useLock('toolbox', { frozen: false }, context, step, (lockDir) =>
      openToolbox({ lockDir, progress: step, signal }),
    ),
  );
  return progress.step('Sign the layers', () =>
    signWorkload(source, output, { key: keys.signers.verity, toolbox }),
  );
}
