export { commandTable } from './commands/index.ts';
export { agentRecipe } from './flows/agent-recipe.ts';
export type { Command, Example } from './framework/command.ts';
export type { CommandTable } from './framework/command-table.ts';
export { commandHelp } from './framework/help.ts';
export { judgeNode } from './posture/judge-node.ts';
