import { createInterface } from 'node:readline/promises';
import { PlinthError } from '@plinth/base';
import type { CommandTable } from './framework/command-table.ts';
import { onInterrupt } from './framework/interrupt.ts';
import { openTerminal } from './framework/terminal.ts';
import { runCommandLine } from './run-command-line.ts';

/** startProcess joins this process (arguments, streams, signals, terminal, exit code) to a command line by a table of commands. */
export async function startProcess(table: CommandTable): Promise<void> {
  const { signal, dispose } = onInterrupt();
  // A reader that goes away (plinth … | head) is not an error.
  process.stdout.on('error', (reason: NodeJS.ErrnoException) => {
    if (reason.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    throw reason;
  });

  const { stdin, stdout } = process;
  const terminal = stdin.isTTY === true && stdout.isTTY === true ? openTerminal(stdin, stdout) : undefined;
  const interactive = process.stdin.isTTY === true && process.stderr.isTTY === true;
  process.exitCode = await runCommandLine(
    table,
    process.argv.slice(2),
    {
      stdout: process.stdout,
      stderr: process.stderr,
      env: process.env,
      ...(interactive ? { ask } : {}),
      ...(terminal ? { terminal } : {}),
    },
    signal,
  );
  dispose();
}

/** Prompts go to standard error, so that standard output stays parseable. */
async function ask(question: string, stop: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question, { signal: stop });
  } catch (reason) {
    // Ctrl-C, Ctrl-D, a signal: the terminal is in raw mode, so they arrive here. The line with the question ends first.
    process.stderr.write('\n');
    throw new PlinthError('cli/interrupted', 'Cannot go on: the question was left without an answer', {
      cause: reason,
    });
  } finally {
    lines.close();
  }
}
