import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions, reachTimeout } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag } from '../framework/options.ts';

export const eventsCommand = defineCommand({
  path: ['events'],
  summary: 'Watch what happens on a node: units, acts, health, config',
  details: ['First what the node remembers since plinthd started, then what happens, until Ctrl-C.'],
  streams: true,
  examples: [
    { run: 'plinth events', what: 'the current node' },
    { run: 'plinth events --all-nodes --new -o json', what: 'every node of the cluster, for a script' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: reachTimeout,
    ...manyNodeOptions,
    new: flag('Without the past'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { showEvents } = await import('../client/show-events.ts');
    return showEvents({ ...options, onlyNew: options.new }, context);
  },
});
