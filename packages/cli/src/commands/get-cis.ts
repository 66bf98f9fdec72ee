import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag } from '../framework/options.ts';

export const getCisCommand = defineCommand({
  path: ['get', 'cis'],
  summary: 'Judge a member of a cluster by the CIS Kubernetes Benchmark',
  details: [
    'Read from the node when asked: command lines, configuration, modes and owners of files.',
    '"accepted" fails and is meant to; "manual" cannot be judged from a node; the reason says why.',
  ],
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth get cis', what: 'every check with its verdict' },
    { run: 'plinth get cis --context worker-1 --open', what: 'another node, without what passes' },
    { run: 'plinth get cis --exit-code -q', what: 'in a script' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    ...manyNodeOptions,
    open: flag('Leave out what passes'),
    exitCode: flag('End with 3 when a check fails or could not be judged'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { showCis } = await import('../client/show-cis.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showCis(one, context));
  },
});
