import { PlinthError } from '@plinth/base';
import { CommanderError } from 'commander';

/** usageError says what is wrong with a command line; `state` reads after "Cannot run the command:". */
export function usageError(state: string, hint?: string): PlinthError {
  return new PlinthError('cli/usage', `Cannot run the command: ${state}`, hint === undefined ? {} : { hint });
}

/** The command line form of an option's key: "dryRun" is "--dry-run". */
export function optionName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** fromCommander puts the parser's complaint into our words; its did-you-mean becomes the hint. */
export function fromCommander(error: CommanderError, commandPath: string): PlinthError {
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const meant = /\(Did you mean (?:one of )?(.*)\?\)/.exec(rest.join(' '))?.[1];
  const hint = meant
    ? `Did you mean ${meant}?`
    : `See "plinth ${commandPath ? `${commandPath} ` : ''}--help".`;
  return usageError(first.replaceAll("'", '"'), hint);
}

/** Help and version end the parser by an error of its own that is none. */
export function isParserError(reason: unknown): reason is CommanderError {
  return reason instanceof CommanderError;
}
