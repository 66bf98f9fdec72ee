import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag } from '../framework/options.ts';

export const getServicesCommand = defineCommand({
  path: ['get', 'services'],
  summary: 'List the units of systemd on a node, failed ones first',
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth get services', what: 'state, restarts, memory, how the last run ended' },
    { run: 'plinth get services --units --all', what: 'units of every kind, inactive ones too' },
    { run: 'plinth get services --exit-code -q', what: 'in a script: 3 when one has failed' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    ...manyNodeOptions,
    all: flag('Inactive ones too'),
    units: flag('Units of every kind: mounts, sockets, timers, targets'),
    exitCode: flag('End with 3 when a unit has failed, or could not be asked'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { showServices } = await import('../client/show-services.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showServices(one, context));
  },
});
