import type { Command } from './command.ts';

/** A tree of commands with the words that group them. */
export interface CommandTable {
  readonly commands: readonly Command[];
  /** One line for each first word that has commands below it. */
  readonly groups: Readonly<Record<string, string>>;
  /** First words by topic, in the order of the help page. */
  readonly topics: Readonly<Record<string, readonly string[]>>;
}
