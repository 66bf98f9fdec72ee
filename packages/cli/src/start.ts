import { createInterface } from 'node:readline/promises';
import { PlinthError } from '@plinth/base';
import { onInterrupt } from './framework/interrupt.ts';
import { openTerminal } from './framework/terminal.ts';
import { runCli } from './run-cli.ts';

const { signal, dispose } = onInterrupt();
// A reader that goes away (plinth … | head) is not an error.
process.stdout.on('error', (reason: NodeJS.ErrnoException) => {
  if (reason.code === 'EPIPE') process.exit(process.exitCode ?? 0);
  throw reason;
});

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

const { stdin, stdout } = process;
const terminal = stdin.isTTY === true && stdout.isTTY === true ? openTerminal(stdin, stdout) : undefined;
const interactive = process.stdin.isTTY === true && process.stderr.isTTY === true;
process.exitCode = await runCli(
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
