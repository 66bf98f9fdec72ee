import type { Command } from '../framework/command.ts';
import type { CommandTable } from '../framework/command-table.ts';
import { globalOptions } from '../framework/global-options.ts';
import { formatsOf } from '../framework/help.ts';
import { optionName } from '../framework/usage-error.ts';

/** What may follow a sequence of words: subcommands, options, or the values of an option. */
export interface Place {
  /** Words before, e.g. "vm start". */
  readonly after: string;
  readonly words: readonly { readonly word: string; readonly what: string }[];
  readonly files: boolean;
}

/** allPlaces lists every place of a command line where something can be completed. */
export function allPlaces(table: CommandTable): Place[] {
  const groups = Object.entries(table.groups).filter(([word]) =>
    table.commands.some((c) => isBelow(c, word)),
  );
  const top = [
    ...table.commands
      .filter(({ path }) => path.length === 1)
      .map(({ path, summary }) => ({ word: path[0] ?? '', what: summary })),
    ...groups.map(([word, what]) => ({ word, what })),
  ];
  const below = groups.map(([word]) => ({
    after: word,
    words: table.commands
      .filter((command) => isBelow(command, word))
      .map(({ path, summary }) => ({ word: path[1] ?? '', what: summary })),
    files: false,
  }));
  return [{ after: '', words: top, files: false }, ...below, ...table.commands.map(commandPlace)];
}

function isBelow({ path }: Command, word: string): boolean {
  return path[0] === word && path.length > 1;
}

function commandPlace(command: Command): Place {
  const values = Object.values(command.args).flatMap(({ choices }) => choices ?? []);
  const own = Object.entries(command.options).flatMap(([key, { help, short }]) => [
    { word: optionName(key), what: help },
    ...(short === undefined ? [] : [{ word: `-${short}`, what: help }]),
  ]);
  const global = [
    { word: '-o', what: `${globalOptions.o.help}: ${formatsOf(command).join(', ')}` },
    ...(['quiet', 'progress', 'color'] as const).map((key) => ({
      word: optionName(key),
      what: globalOptions[key].help,
    })),
    { word: '--help', what: 'Show the page of this command' },
  ];
  return {
    after: command.path.join(' '),
    words: [...values.map((word) => ({ word, what: '' })), ...own, ...global],
    files: values.length === 0,
  };
}

/** Options whose values are words of a closed list, the same after every command. */
export const valueWords: Readonly<Record<string, string>> = {
  '--progress': globalOptions.progress.choices?.join(' ') ?? '',
  '--color': globalOptions.color.choices?.join(' ') ?? '',
  '-o': globalOptions.o.choices?.join(' ') ?? '',
};
