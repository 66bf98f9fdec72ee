import { defineCommand } from '../framework/command.ts';
import { optional } from '../framework/options.ts';

export const clusterPauseCommand = defineCommand({
  path: ['cluster', 'pause'],
  summary: 'Stop the processors of all machines of a cluster',
  details: ['Memory stays in use and the way back is short; "plinth down" frees it.'],
  examples: [
    { run: 'plinth cluster pause', what: 'that of the current context' },
    { run: 'plinth cluster pause big', what: 'another one' },
  ],
  options: {},
  args: { name: optional('CLUSTER', 'Local cluster; default: that of the current context') },
  run: async ({ args: { name } }, context) => {
    const { eachMachine } = await import('../flows/each-machine.ts');
    const { pauseMachine } = await import('@plinth/local');
    return eachMachine(name, 'paused', pauseMachine, context);
  },
});
