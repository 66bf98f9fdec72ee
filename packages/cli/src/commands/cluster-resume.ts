import { defineCommand } from '../framework/command.ts';
import { optional } from '../framework/options.ts';
import { plainText } from '../output/blocks.ts';

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
    const { localCluster } = await import('../cluster/cluster-contexts.ts');
    const { eachMachine } = await import('../flows/each-machine.ts');
    const { resumeMachine } = await import('@plinth/local');
    const record = await localCluster(name, context);
    const machines = await eachMachine(record, (machine) => resumeMachine(machine));
    return {
      data: { name: record.name, outcome: 'resumed', machines },
      view: [plainText(`Cluster "${record.name}": ${machines.length} machines resumed.`)],
    };
  },
});
