import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const dashboardCommand = defineCommand({
  path: ['dashboard'],
  summary: 'Watch a node live in the terminal',
  details: ['By keyboard alone: 1 to 6 or Tab for a panel, ? for all keys, q to leave.'],
  examples: [
    { run: 'plinth dashboard', what: 'the current node' },
    { run: 'plinth dashboard --context worker-1', what: 'another one' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout },
  args: {},
  run: async ({ options }, context) => {
    const { showDashboard } = await import('../flows/show-dashboard.ts');
    await showDashboard(options, context);
    return undefined;
  },
});
