import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { configDir, ioError } from '@plinth/host';
import type { CommandContext } from '../framework/context.ts';
import { text, type ValuesOf } from '../framework/options.ts';

/** Options of every command that needs keys. A passphrase is never an argument: arguments are seen by all users. */
export const keyOptions = {
  keys: text('DIR', 'Folder of the keys, if not the usual; or $PLINTH_KEYS'),
  passphraseFile: text('FILE', 'Their passphrase; or $PLINTH_KEYS_PASSPHRASE'),
} as const;

export type KeyFolderOptions = ValuesOf<typeof keyOptions>;
type Environment = CommandContext['env'];

/** keyFolder is where the keys are. */
export function keyFolder(options: Pick<KeyFolderOptions, 'keys'>, env: Environment): string {
  return resolve(options.keys ?? (env['PLINTH_KEYS'] || join(configDir(env), 'keys')));
}

/** readPassphrase is what the keys are encrypted with; empty when they are not. @throws host/io */
export async function readPassphrase(
  options: KeyFolderOptions,
  env: Environment,
): Promise<{ readonly passphrase?: string }> {
  const path = options.passphraseFile;
  if (path === undefined) {
    const passphrase = env['PLINTH_KEYS_PASSPHRASE'];
    return passphrase ? { passphrase } : {};
  }
  const content = await readFile(path, 'utf8').catch((reason) =>
    Promise.reject(ioError(reason, `read ${path}`)),
  );
  // Editors and echo end the line; that end is not part of the secret.
  return { passphrase: content.replace(/\r?\n$/, '') };
}
