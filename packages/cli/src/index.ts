export { commandTable } from './commands/index.ts';
export { agentRecipe } from './flows/agent-recipe.ts';
export type { Command, Example } from './framework/command.ts';
export type { CommandTable } from './framework/command-table.ts';
export type { CommandContext, OutputStream, Surroundings } from './framework/context.ts';
export { commandHelp, optionUsage } from './framework/help.ts';
export { runCli } from './run-cli.ts';
