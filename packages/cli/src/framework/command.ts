import type { CommandContext } from './context.ts';
import type { ArgumentSpecs, OptionSpecs, ValuesOf } from './options.ts';
import type { CommandResult, OutputFormat } from './result.ts';
import { optionName, usageError } from './usage-error.ts';

export interface Example {
  readonly run: string;
  readonly what: string;
}

/** A command as data: help, completion and the reference page are made from it. */
interface CommandShape {
  /** The words that call it, e.g. ["vm", "start"]. */
  readonly path: readonly string[];
  /** One line, imperative, no final period. */
  readonly summary: string;
  /** What a reader must know beyond the summary; at most three short lines. */
  readonly details?: readonly string[];
  /** Whether it writes its items one by one: as text, or with -o json as one JSON object a line. */
  readonly streams?: true;
  /** Output forms beyond table, json and yaml. */
  readonly extraFormats?: readonly Exclude<OutputFormat, 'table' | 'json' | 'yaml'>[];
  /**
   * Whether every word after the command's name goes to its one argument as it stands, options included. Only words
   * before the name are options of plinth then.
   */
  readonly passesWords?: true;
  /** At least two. */
  readonly examples: readonly [Example, Example, ...Example[]];
}

export interface CommandDefinition<O extends OptionSpecs, A extends ArgumentSpecs> extends CommandShape {
  readonly options: O;
  readonly args: A;
  /** Does the work. Undefined when the command already wrote all there is, e.g. an attached console. */
  readonly run: (
    input: { readonly options: ValuesOf<O>; readonly args: ValuesOf<A> },
    context: CommandContext,
  ) => Promise<CommandResult | undefined>;
}

/** What the parser found, not yet checked. */
export type RawValues = Readonly<Record<string, unknown>>;

/** A command whose types of options are known only to itself. */
export interface Command extends CommandShape {
  readonly options: OptionSpecs;
  readonly args: ArgumentSpecs;
  readonly run: (
    raw: { readonly options: RawValues; readonly args: RawValues },
    context: CommandContext,
  ) => Promise<CommandResult | undefined>;
}

/** defineCommand joins a command's data with its handler, whose input is typed by that data. */
export function defineCommand<const O extends OptionSpecs, const A extends ArgumentSpecs>(
  definition: CommandDefinition<O, A>,
): Command {
  return {
    ...definition,
    run: (raw, context) =>
      definition.run(
        { options: readAll(definition.options, raw.options), args: readAll(definition.args, raw.args) },
        context,
      ),
  };
}

/** Reads each value by its own spec; the mapped type holds because every key is read by the spec of that key. */
function readAll<S extends OptionSpecs>(specs: S, raw: RawValues): ValuesOf<S> {
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(specs)) {
    try {
      values[name] = spec.read(raw[name]);
    } catch (reason) {
      if (!(reason instanceof RangeError)) throw reason;
      throw usageError(
        `value of ${'required' in spec ? spec.placeholder : optionName(name)} is ${reason.message}`,
      );
    }
  }
  return values as ValuesOf<S>;
}
