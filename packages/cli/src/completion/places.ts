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
  const below = groups.map(([word]) => placeBelow(table, [word]));
  const deeper = new Set(
    table.commands.filter(({ path }) => path.length > 2).map(({ path }) => path.slice(0, 2).join(' ')),
  );
  below.push(...[...deeper].map((words) => placeBelow(table, words.split(' '))));
  return [{ after: '', words: top, files: false }, ...below, ...table.commands.map(commandPlace)];
}

/** The words that may follow these: commands, and words that group more of them. */
function placeBelow({ commands }: CommandTable, words: readonly string[]): Place {
  const next = new Map<string, string>();
  for (const { path, summary } of commands) {
    const word = path[words.length];
    if (word === undefined || words.some((each, index) => path[index] !== each)) continue;
    next.set(
      word,
      path.length === words.length + 1 ? summary : `Commands of "${[...words, word].join(' ')}"`,
    );
  }
  return { after: words.join(' '), words: [...next].map(([word, what]) => ({ word, what })), files: false };
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
