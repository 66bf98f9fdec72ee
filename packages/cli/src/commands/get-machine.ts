import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const getMachineCommand = defineCommand({
  path: ['get', 'machine'],
  summary: 'Show the last reboot, shutdown or reset, and how far it is',
  examples: [
    { run: 'plinth get machine', what: 'of the current node' },
    { run: 'plinth get machine -o json', what: 'for a script' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout },
  args: {},
  run: async ({ options }, context) => {
    const { showMachine } = await import('../client/show-machine.ts');
    return showMachine(options, context);
  },
});
