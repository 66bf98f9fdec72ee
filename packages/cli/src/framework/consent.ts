import { PlinthError } from '@plinth/base';
import type { CommandContext } from './context.ts';
import { flag } from './options.ts';
import { usageError } from './usage-error.ts';

/** The option of every command that asks before it acts. */
export const consentOption = flag('Do not ask; needed where there is no terminal');

/**
 * agree goes on only if a person wants it: one who said --yes, or one who is asked now. Call it before the first change.
 * @throws cli/usage when nobody can be asked, cli/declined after a no
 */
export async function agree(
  question: string,
  yes: boolean,
  { confirm }: Pick<CommandContext, 'confirm'>,
): Promise<void> {
  if (yes) return;
  const answer = await confirm(question);
  if (answer === undefined)
    throw usageError(`cannot ask "${question}" without a terminal`, 'If that is what you want, add --yes.');
  if (!answer) throw new PlinthError('cli/declined', `Cannot go on: the answer to "${question}" was no`);
}

/**
 * agreeByName goes on only if a person typed the name of what is lost for ever; it never asks.
 * @throws cli/usage
 */
export function agreeByName(typed: string | undefined, name: string, what: string): void {
  if (typed === name) return;
  throw usageError(
    `${what}; --confirm is ${typed === undefined ? 'missing' : `"${typed}"`}, expected "${name}"`,
    `If that is what you want, add --confirm ${name}.`,
  );
}
