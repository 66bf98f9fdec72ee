import { changeRule, type RuleRequest } from '@plinth/publish';
import type { KeyFolderOptions } from '../flows/key-folder.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { usageError } from '../framework/usage-error.ts';
import { nextCommands } from '../output/blocks.ts';
import { channelBlocks } from './channel-view.ts';
import { repositoryOptions } from './repository-options.ts';

/** What the commands take that say something of a version. */
export interface RuleOptions extends KeyFolderOptions {
  readonly channel: string;
  readonly reason: string | undefined;
  readonly undo: boolean;
  readonly valid: number;
}

/** changePublishedRule does what such a command was asked for. @throws cli/usage, what changeRule throws */
export async function changePublishedRule(
  repo: string,
  { rule, version }: Omit<RuleRequest, 'reason'>,
  options: RuleOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { channel, reason, undo } = options;
  if (undo === (reason !== undefined)) {
    throw usageError(
      undo ? '--undo and --reason together, expected one of them' : '--reason is missing, expected why',
      'The reason is shown to the people whose nodes it concerns.',
    );
  }
  const signing = await repositoryOptions(repo, options, context);
  const request = { rule, version, ...(reason !== undefined && { reason }) };
  const changed = await context.progress.step(`Change channel ${channel}`, () =>
    changeRule({ ...signing, channel }, request),
  );
  return {
    data: changed,
    view: [...channelBlocks([changed]), nextCommands([[`plinth release show ${repo}`, 'all channels']])],
  };
}
