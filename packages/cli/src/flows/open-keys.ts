import { exists } from '@plinth/host';
import { initUpdateKeys, readTrustedRoot } from '@plinth/publish';
import { initKeys, type KeyRing, loadKeys } from '@plinth/trust';
import type { CommandContext } from '../framework/context.ts';
import { type KeyFolderOptions, keyFolder, readPassphrase } from './key-folder.ts';

/** openKeys loads the keys, and makes them first where there are none. @throws trust/… */
export async function openKeys(options: KeyFolderOptions, context: CommandContext): Promise<KeyRing> {
  const folder = keyFolder(options, context.env);
  const secret = await readPassphrase(options, context.env);
  return context.progress.step('Open the keys', async (step) => {
    if (await exists(folder)) step.cached('they are there');
    else await step.step(`Make development keys in ${folder}`, () => initKeys(folder, secret));
    return loadKeys(folder, secret);
  });
}

/**
 * openUpdateRoot gives the root of updates that images of these keys carry. A key folder from before there were update keys
 * gets them, encrypted as its other keys are.
 * @throws trust/…, publish/…
 */
export async function openUpdateRoot(
  options: KeyFolderOptions,
  context: CommandContext,
): Promise<Uint8Array> {
  const folder = keyFolder(options, context.env);
  // The passphrase was proven by openKeys: a folder has one.
  await initUpdateKeys(folder, await readPassphrase(options, context.env));
  return readTrustedRoot(folder);
}
