import type { Style } from '../output/style.ts';
import { wrapText } from '../output/wrap-text.ts';
import type { Command, Example } from './command.ts';
import type { ArgumentSpec, ValueSpec } from './options.ts';
import { optionName } from './usage-error.ts';

const WIDTH_CHARS = 80;

/** commandHelp is the page of one command: usage, what it does, its options, examples. It fits one screen. */
export function commandHelp(command: Command, style: Style): string {
  const args = Object.values(command.args);
  const options = Object.entries(command.options);
  const usage = [
    'plinth',
    ...command.path,
    ...(options.length > 0 ? ['[OPTIONS]'] : []),
    ...args.map(argumentUsage),
  ];
  const rows: Row[] = [
    ...args.map((arg): Row => [arg.placeholder, withDefault(arg)]),
    ...options.map(([key, spec]): Row => [optionUsage(key, spec), withDefault(spec)]),
  ];
  return joinSections([
    [`${style.strong('Usage:')} ${usage.join(' ')}`],
    // Details are one paragraph: where a line ends in the source says nothing about the page.
    [`${command.summary}.`, ...detailLines(command)],
    rows.length > 0 ? definitionList(rows, style) : [],
    [style.strong('Examples:'), ...exampleLines(command.examples, style)],
    wrapText(
      `Also: -o ${formatsOf(command).join('|')}, -q, --progress, --color: see "plinth help"`,
      WIDTH_CHARS,
    ).map((line) => style.faint(line)),
  ]);
}

function detailLines({ details }: Command): readonly string[] {
  return details === undefined ? [] : wrapText(details.join(' '), WIDTH_CHARS);
}

/** The output forms a command has. */
export function formatsOf(command: Command): readonly string[] {
  return command.streams ? ['table', 'json'] : ['table', 'json', 'yaml', ...(command.extraFormats ?? [])];
}

type Row = readonly [term: string, what: string];

/** topicHelp lists commands by topic: all of them, or those below a word such as "vm". */
export function topicHelp(title: string, usage: string, topics: readonly Topic[], style: Style): string {
  // Commands line up across topics; a topic with longer terms keeps its width to itself.
  const widths = topics.map(({ rows }) => Math.max(...rows.map(([term]) => term.length)));
  const shared = Math.max(...widths.filter((width) => width <= 20));
  return joinSections([
    [title],
    [`${style.strong('Usage:')} ${usage}`],
    ...topics.map(({ name, rows }, i) => [
      style.strong(`${name}:`),
      ...definitionList(rows, style, Math.max(shared, widths[i] ?? 0)),
    ]),
    [style.faint('"plinth COMMAND --help" shows options and examples.')],
  ]);
}

export interface Topic {
  readonly name: string;
  readonly rows: readonly Row[];
}

/** optionUsage is how an option is written: "--formats LIST". */
export function optionUsage(key: string, spec: ValueSpec<unknown>): string {
  const names = spec.short === undefined ? optionName(key) : `-${spec.short}, ${optionName(key)}`;
  return spec.placeholder === undefined ? names : `${names} ${spec.placeholder}`;
}

/** argumentUsage is how an argument is written: "NAME", or "[NAME]" where it may be left out. */
export function argumentUsage(arg: ArgumentSpec<unknown>): string {
  if (arg.several) return arg.required ? `${arg.placeholder}…` : `[${arg.placeholder}…]`;
  return arg.required ? arg.placeholder : `[${arg.placeholder}]`;
}

function withDefault(spec: ValueSpec<unknown>): string {
  return spec.shownDefault === undefined ? spec.help : `${spec.help} (default: ${spec.shownDefault})`;
}

function definitionList(rows: readonly Row[], style: Style, widthChars?: number): string[] {
  const termWidth = widthChars ?? Math.max(...rows.map(([term]) => term.length));
  const indent = ' '.repeat(termWidth + 4);
  return rows.flatMap(([term, what]) => {
    const [first = '', ...rest] = wrapText(what, WIDTH_CHARS - termWidth - 4);
    return [`  ${style.strong(term.padEnd(termWidth))}  ${first}`, ...rest.map((line) => indent + line)];
  });
}

/** Commands and meanings side by side where all of them fit, else below each other. */
function exampleLines(examples: readonly Example[], style: Style): string[] {
  const column = Math.max(...examples.map(({ run }) => run.length));
  const fits = examples.every(({ what }) => column + what.length + 4 <= WIDTH_CHARS);
  return examples.flatMap(({ run, what }) =>
    fits ? [`  ${run.padEnd(column)}  ${style.faint(what)}`] : [`  ${run}`, `      ${style.faint(what)}`],
  );
}

function joinSections(sections: readonly (readonly string[])[]): string {
  return `${sections
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n')}\n`;
}
