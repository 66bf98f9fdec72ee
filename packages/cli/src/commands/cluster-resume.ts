import { defineCommand } from '../framework/command.ts';
import { optional } from '../framework/options.ts';

export const clusterResumeCommand = defineCommand({
  path: ['cluster', 'resume'],
  summary: 'Let all machines of a paused cluster go on',
  details: ['Clocks inside are behind for some seconds, and leases are renewed.'],
  examples: [
    { run: 'plinth cluster resume', what: 'that of the current context' },
    { run: 'plinth cluster resume big', what: 'another one' },
  ],
  options: {},
  args: { name: optional('CLUSTER', 'Local cluster; default: that of the current context') },
  run: async ({ args: { name } }, context) => {
    const { eachMachine } = await import('../flows/each-machine.ts');
    const { resumeMachine } = await import('@plinth/local');
    return eachMachine(name, 'resumed', resumeMachine, context);
  },
});
