import { type ExitCode, exitCodes } from '@plinth/base';
import { Command as Parser } from 'commander';
import type { Style } from '../output/style.ts';
import type { Command, RawValues } from './command.ts';
import type { CommandTable } from './command-table.ts';
import { type GlobalValues, globalFlags, globalOptions } from './global-options.ts';
import { commandHelp, formatsOf } from './help.ts';
import { groupHelp, rootHelp } from './help-pages.ts';
import type { OptionSpecs } from './options.ts';
import { fromCommander, isParserError, namePage, optionName, usageError } from './usage-error.ts';

export type Invocation =
  /** A help page: asked for, or shown because the command line stops short of a command. */
  | { readonly kind: 'help'; readonly text: string; readonly exitCode: ExitCode }
  | {
      readonly kind: 'run';
      readonly command: Command;
      readonly options: RawValues;
      readonly args: RawValues;
      readonly globals: GlobalValues;
    };

/**
 * parseCommandLine finds the command that is meant and what was given to it.
 * @throws cli/usage
 */
export function parseCommandLine(table: CommandTable, argv: readonly string[], style: Style): Invocation {
  let found: Invocation | undefined;
  const reached: string[] = [];
  const showHelp = (exitCode: ExitCode) => (text: string) => {
    found = { kind: 'help', text, exitCode };
  };
  const root = new Parser('plinth')
    .exitOverride()
    .configureOutput({
      writeOut: showHelp(exitCodes.ok),
      writeErr: showHelp(argv.length === 0 ? exitCodes.ok : exitCodes.usage),
      outputError: () => {}, // what it would print comes back as an error, see fromCommander
    })
    .configureHelp({ formatHelp: () => rootHelp(table, style) })
    .allowExcessArguments(false)
    .enablePositionalOptions();
  addGlobals(root);
  root.helpCommand('help [command]', 'Show this page or the page of a command');
  const noteWord = (_parent: Parser, child: Parser) => {
    reached.push(child.name());
  };
  root.hook('preSubcommand', noteWord);

  const groups = new Map<string, Parser>();
  for (const command of table.commands) {
    const parent = groupParser(command.path.slice(0, -1));
    const leaf = parent.command(command.path.at(-1) ?? '').configureHelp({
      formatHelp: () => commandHelp(command, style),
    });
    addOptions(leaf, command.options);
    if (command.passesWords) leaf.allowUnknownOption().passThroughOptions().helpOption(false);
    else addGlobals(leaf);
    for (const arg of Object.values(command.args)) {
      if (command.passesWords) leaf.argument(`[${arg.placeholder}...]`);
      else if (arg.several && arg.required) leaf.argument(`<${arg.placeholder}...>`);
      else if (arg.several) leaf.argument(`[${arg.placeholder}...]`);
      else leaf.argument(arg.required ? `<${arg.placeholder}>` : `[${arg.placeholder}]`);
    }
    leaf.action(() => {
      const globals = readGlobals({ ...root.opts(), ...leaf.opts() });
      if (globals.o !== undefined && !formatsOf(command).includes(globals.o)) {
        throw usageError(`value of -o is "${globals.o}", expected one of ${formatsOf(command).join(', ')}`);
      }
      const args = Object.fromEntries(
        Object.entries(command.args).map(([name, { several }], i) => [
          name,
          command.passesWords || several ? leaf.args.slice(i) : leaf.args[i],
        ]),
      );
      found = { kind: 'run', command, options: optionValues(command.options, leaf.opts()), args, globals };
    });
  }

  function groupParser(words: readonly string[]): Parser {
    const [first = '', last] = [words[0], words.at(-1)];
    if (last === undefined) return root;
    const known = groups.get(words.join(' '));
    if (known) return known;
    const group = groupParser(words.slice(0, -1))
      .command(last)
      // A word below a group has no page of its own: the group's shows its commands too.
      .configureHelp({ formatHelp: () => groupHelp(table, first, style) })
      .hook('preSubcommand', noteWord);
    groups.set(words.join(' '), group);
    return group;
  }

  try {
    root.parse(argv[0] === '--version' ? ['version', ...argv.slice(1)] : [...argv], { from: 'user' });
  } catch (reason) {
    if (!isParserError(reason)) throw namePage(reason, reached);
    if (!found) throw fromCommander(reason, reached);
  }
  if (!found) throw usageError('no command was named', 'See "plinth help".');
  return found;
}

function addOptions(parser: Parser, options: OptionSpecs): void {
  for (const [key, spec] of Object.entries(options)) {
    const names = spec.short === undefined ? optionName(key) : `-${spec.short}, ${optionName(key)}`;
    parser.option(spec.placeholder === undefined ? names : `${names} <${spec.placeholder}>`);
  }
}

/** The parser takes "--no-x" for the absence of an option "x"; here it is an option like any other. */
function optionValues(specs: OptionSpecs, raw: RawValues): RawValues {
  const negated = Object.keys(specs).filter((key) => /^no[A-Z]/.test(key));
  const plain = (key: string) => `${key.charAt(2).toLowerCase()}${key.slice(3)}`;
  return { ...raw, ...Object.fromEntries(negated.map((key) => [key, raw[plain(key)] === false])) };
}

function addGlobals(parser: Parser): void {
  for (const flags of Object.values(globalFlags)) parser.option(flags);
}

function readGlobals(raw: RawValues): GlobalValues {
  const read = <T>(name: string, get: () => T): T => {
    try {
      return get();
    } catch (reason) {
      if (!(reason instanceof RangeError)) throw reason;
      throw usageError(`value of ${name} is ${reason.message}`);
    }
  };
  return {
    o: read('-o', () => globalOptions.o.read(raw['o'])),
    quiet: globalOptions.quiet.read(raw['quiet']),
    progress: read('--progress', () => globalOptions.progress.read(raw['progress'])),
    color: read('--color', () => globalOptions.color.read(raw['color'])),
  };
}
