import { exitCodes, PlinthError } from '@plinth/base';
import type { CommandTable } from './framework/command-table.ts';
import type { CommandContext, Surroundings } from './framework/context.ts';
import { type Invocation, parseCommandLine } from './framework/parse-command-line.ts';
import { namePage } from './framework/usage-error.ts';
import { errorData, renderError } from './output/error-report.ts';
import { formatResult } from './output/print-result.ts';
import { type ColourChoice, colourChoices, createStyle, wantsColour } from './output/style.ts';
import { createRenderer } from './progress/create-renderer.ts';
import { createProgress } from './progress/events.ts';

const ANNOUNCE_STOP_AFTER_MS = 500;

/**
 * runCommandLine runs one command line by a table of commands to its end and returns its exit code; nothing escapes it but a
 * bug in itself.
 */
export async function runCommandLine(
  table: CommandTable,
  argv: readonly string[],
  world: Surroundings,
  signal: AbortSignal,
): Promise<number> {
  const colour = earlyValue(argv, '--color', colourChoices) ?? 'auto';
  try {
    const invocation = parseCommandLine(table, argv, createStyle(isColoured('stdout', colour, world)));
    if (invocation.kind === 'help') {
      const stream = invocation.exitCode === exitCodes.ok ? world.stdout : world.stderr;
      stream.write(invocation.text);
      return invocation.exitCode;
    }
    return await runCommand(invocation, world, signal);
  } catch (reason) {
    const error = signal.aborted
      ? interruption(reason)
      : PlinthError.from(reason, 'internal/bug', 'Cannot finish');
    const asJson = earlyValue(argv, '-o', ['json'] as const) === 'json';
    world.stderr.write(
      asJson
        ? `${JSON.stringify(errorData(error), null, 2)}\n`
        : renderError(error, createStyle(isColoured('stderr', colour, world))),
    );
    if (error.code === 'internal/bug' && reason instanceof Error && world.env['PLINTH_DEBUG']) {
      world.stderr.write(`${reason.stack}\n`);
    }
    return error.exitCode;
  }
}

async function runCommand(
  invocation: Extract<Invocation, { kind: 'run' }>,
  world: Surroundings,
  signal: AbortSignal,
): Promise<number> {
  const { globals, command } = invocation;
  const colour = globals.color ?? 'auto';
  const style = createStyle(isColoured('stdout', colour, world));
  const renderer = createRenderer(world.stderr, {
    choice: globals.progress ?? 'auto',
    quiet: globals.quiet,
    style: createStyle(isColoured('stderr', colour, world)),
    env: world.env,
  });
  const { ask } = world;
  const progress = createProgress(renderer.on, () => performance.now(), signal);
  // Most work stops at once; only what does not needs an explanation.
  let announcement: NodeJS.Timeout | undefined;
  const announce = () => {
    const text = 'stopping at a clean point; press Ctrl-C again to end at once';
    announcement = setTimeout(() => progress.warn(text), ANNOUNCE_STOP_AFTER_MS);
  };
  signal.addEventListener('abort', announce, { once: true });
  const context: CommandContext = {
    progress,
    signal,
    env: world.env,
    style,
    writeOut: (text) => world.stdout.write(text),
    format: globals.o ?? 'table',
    isTerminal: world.stdout.isTTY ?? false,
    say: (line) => {
      if (!globals.quiet) world.stderr.write(`${line}\n`);
    },
    suspendProgress: renderer.suspend,
    ...(world.terminal && { terminal: world.terminal }),
    ...(ask && {
      askText: (question: string) => renderer.suspend(() => ask(question, signal)),
    }),
    confirm: async (question) => {
      if (!ask) return undefined;
      const answer = await renderer.suspend(() => ask(`${question} [Y/n] `, signal));
      return /^(y|yes|)$/i.test(answer.trim());
    },
  };
  try {
    const result = await command.run(invocation, context);
    renderer.close();
    if (!result) return exitCodes.ok;
    if (result.passedExitCode !== undefined) return result.passedExitCode;
    const widthChars = world.stdout.isTTY ? world.stdout.columns : undefined;
    world.stdout.write(formatResult(result, globals.o ?? 'table', { style, widthChars }));
    return result.exitCode ?? exitCodes.ok;
  } catch (reason) {
    throw namePage(reason, command.path);
  } finally {
    signal.removeEventListener('abort', announce);
    clearTimeout(announcement);
    renderer.close();
  }
}

/** After Ctrl-C whatever broke, broke because of it; the error of the step that noticed first says nothing more. */
function interruption(reason: unknown): PlinthError {
  if (reason instanceof PlinthError && reason.code === 'cli/interrupted') return reason;
  return new PlinthError('cli/interrupted', 'Cannot finish: interrupted', { cause: reason });
}

function isColoured(stream: 'stdout' | 'stderr', choice: ColourChoice, world: Surroundings): boolean {
  return wantsColour(choice, world.env, world[stream].isTTY ?? false);
}

/** Help and errors of the parser itself must respect these before anything is parsed. */
function earlyValue<const C extends string>(
  argv: readonly string[],
  name: string,
  choices: readonly C[],
): C | undefined {
  const joined = argv.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  const after = argv.includes(name) ? argv[argv.indexOf(name) + 1] : undefined;
  const short = name === '-o' ? argv.find((word) => /^-o[a-z]/.test(word))?.slice(2) : undefined;
  return choices.find((candidate) => candidate === (joined ?? after ?? short));
}
