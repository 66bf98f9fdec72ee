import { setDeadline } from '@plinth/publish';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { usageError } from '../framework/usage-error.ts';
import { facts, nextCommands } from '../output/blocks.ts';
import type { RuleOptions } from './change-rule.ts';
import { repositoryOptions } from './repository-options.ts';

/** changeDeadline says by when nodes should have a version, or takes it back. @throws cli/usage, what setDeadline throws */
export async function changeDeadline(
  repo: string,
  version: string,
  options: RuleOptions & { readonly by: string | undefined },
  context: CommandContext,
): Promise<CommandResult> {
  const { channel, by, reason, undo } = options;
  const isSaid = by !== undefined && reason !== undefined;
  if (undo === (by !== undefined || reason !== undefined) || (!undo && !isSaid))
    throw usageError(
      'expected --by with --reason, or --undo',
      'The reason is shown to the people it concerns.',
    );
  const signing = await repositoryOptions(repo, options, context);
  const request = { version, ...(isSaid && { by: momentIn(by), reason }) };
  const changed = await context.progress.step(`Change deadlines of ${channel}`, () =>
    setDeadline({ ...signing, channel }, request),
  );
  return {
    data: changed,
    view: [
      facts(changed.deadlines.map((each) => [each.version, `by ${each.by}: ${each.reason}`])),
      nextCommands([[`plinth release show ${repo}`, 'all channels']]),
    ],
  };
}

/** A day is its first moment. @throws cli/usage */
function momentIn(text: string): string {
  const moment = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;
  const isMoment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(moment);
  // What Date makes of 30 February is another day.
  if (
    isMoment &&
    !Number.isNaN(Date.parse(moment)) &&
    new Date(moment).toISOString().startsWith(moment.slice(0, 10))
  )
    return moment;
  throw usageError(`--by ${text} is no day or moment in UTC, expected one like 2026-12-01T08:00:00Z`);
}
