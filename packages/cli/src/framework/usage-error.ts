import { describeCode, PlinthError } from '@plinth/base';
import { CommanderError } from 'commander';

/** usageError says what is wrong with a command line; `state` reads after "Cannot run the command:". */
export function usageError(state: string, hint?: string): PlinthError {
  return new PlinthError('cli/usage', `Cannot run the command: ${state}`, hint === undefined ? {} : { hint });
}

/** namePage lets a usage error without a hint of its own name the page of its command; anything else passes through. */
export function namePage(reason: unknown, commandPath: readonly string[]): unknown {
  if (!(reason instanceof PlinthError) || reason.code !== 'cli/usage') return reason;
  if (reason.hint !== describeCode('cli/usage').fix) return reason;
  const { code, message, details, diagnostics, cause } = reason;
  return new PlinthError(code, message, { hint: pageOf(commandPath), details, diagnostics, cause });
}

function pageOf(commandPath: readonly string[]): string {
  return `See "${['plinth', ...commandPath, '--help'].join(' ')}".`;
}

/** The command line form of an option's key: "dryRun" is "--dry-run". */
export function optionName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** fromCommander puts the parser's complaint into our words; its did-you-mean becomes the hint. */
export function fromCommander(error: CommanderError, commandPath: readonly string[]): PlinthError {
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const meant = /\(Did you mean (?:one of )?(.*)\?\)/.exec(rest.join(' '))?.[1];
  return usageError(first.replaceAll("'", '"'), meant ? `Did you mean ${meant}?` : pageOf(commandPath));
}

/** Help and version end the parser by an error of its own that is none. */
export function isParserError(reason: unknown): reason is CommanderError {
  return reason instanceof CommanderError;
}
