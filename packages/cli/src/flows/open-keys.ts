import { exists } from '@plinth/host';
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
