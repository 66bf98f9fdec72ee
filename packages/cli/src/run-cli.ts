import { commandTable } from './commands/index.ts';
import type { Surroundings } from './framework/context.ts';
import { runCommandLine } from './run-command-line.ts';

/** runCli runs one command line of the whole `plinth` command, see runCommandLine. */
export async function runCli(
  argv: readonly string[],
  world: Surroundings,
  signal: AbortSignal,
): Promise<number> {
  return await runCommandLine(commandTable, argv, world, signal);
}
