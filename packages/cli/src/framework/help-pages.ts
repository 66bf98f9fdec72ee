import type { Style } from '../output/style.ts';
import type { CommandTable } from './command-table.ts';
import { globalFlags, globalOptions } from './global-options.ts';
import { argumentUsage, type Topic, topicHelp } from './help.ts';

/** rootHelp is the page of `plinth` itself: all commands by topic, and the options that go everywhere. */
export function rootHelp(table: CommandTable, style: Style): string {
  const topics = Object.entries(table.topics).map(([name, words]): Topic => {
    const rows = words.map((word): readonly [string, string] => {
      const command = table.commands.find(({ path }) => path.length === 1 && path[0] === word);
      return [word, command?.summary ?? table.groups[word] ?? ''];
    });
    return { name, rows };
  });
  const globals: Topic = {
    name: 'Everywhere',
    rows: Object.values(globalOptions).map((spec, i) => [
      `${Object.values(globalFlags)[i]?.replace(/<.*>/, '') ?? ''}${spec.placeholder ?? ''}`.trim(),
      spec.help,
    ]),
  };
  return topicHelp(
    'Plinth builds, signs, boots and inspects a verified OS for Kubernetes nodes.',
    'plinth COMMAND [OPTIONS]',
    [...topics, globals],
    style,
  );
}

/** groupHelp is the page of a word that groups commands, e.g. "vm". */
export function groupHelp(table: CommandTable, word: string, style: Style): string {
  const below = table.commands.filter(({ path }) => path[0] === word && path.length > 1);
  const rows = below.map(({ path, args, summary }): readonly [string, string] => [
    [...path.slice(1), ...Object.values(args).map(argumentUsage)].join(' '),
    summary,
  ]);
  return topicHelp(
    `${table.groups[word]}.`,
    `plinth ${word} COMMAND [OPTIONS]`,
    [{ name: 'Commands', rows }],
    style,
  );
}
