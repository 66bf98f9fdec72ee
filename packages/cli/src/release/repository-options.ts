import { resolve } from 'node:path';
import type { RepositoryOptions } from '@plinth/publish';
import { type KeyFolderOptions, keyFolder, keyOptions, readPassphrase } from '../flows/key-folder.ts';
import type { CommandContext } from '../framework/context.ts';
import { flag, required, text, textOr } from '../framework/options.ts';
import { timeSpan } from '../framework/time-span.ts';

/** What every command that signs something in a repository takes. */
export const signingOptions = {
  valid: timeSpan({ min: '1m', max: '90d', fallback: '24h' }, 'How long nodes believe it'),
  ...keyOptions,
} as const;

export const channelOption = textOr('NAME', 'stable', 'Channel');

export const repositoryArgument = required('REPO', 'Folder of the repository');

export const versionArgument = required('VERSION', 'Version that the channel offers');

/** What a command takes that says something about a version. */
export const ruleOptions = {
  reason: text('TEXT', 'Why; nodes show it'),
  undo: flag('Take it back'),
  channel: channelOption,
  ...signingOptions,
} as const;

/** moreKeyFolders are media with private update keys, as $PLINTH_UPDATE_KEYS lists them, separated by colons. */
export function moreKeyFolders(env: CommandContext['env']): readonly string[] {
  return (env['PLINTH_UPDATE_KEYS'] ?? '')
    .split(':')
    .filter((folder) => folder !== '')
    .map((folder) => resolve(folder));
}

/** repositoryOptions turns the options of a command into those of the publisher. @throws host/io */
export async function repositoryOptions(
  repo: string,
  options: KeyFolderOptions & { readonly valid: number },
  context: CommandContext,
): Promise<RepositoryOptions> {
  return {
    repoDir: resolve(repo),
    keysDir: keyFolder(options, context.env),
    timestampLifetimeMs: options.valid,
    signal: context.signal,
    onWait: (holderPid) => context.say(`Process ${holderPid} publishes to it; waiting.`),
    moreFolders: moreKeyFolders(context.env),
    ...(await readPassphrase(options, context.env)),
  };
}
