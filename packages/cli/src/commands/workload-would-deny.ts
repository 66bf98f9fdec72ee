import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const workloadWouldDenyCommand = defineCommand({
  path: ['workload', 'would-deny'],
  summary: 'List what runs now and would be refused at level "signed"',
  details: [
    'Code that no signed volume holds, by what each process maps. What begins and ends',
    'between two calls is not seen.',
  ],
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth workload would-deny', what: 'processes of one node, with a file of each' },
    { run: 'plinth workload would-deny --all-nodes -o json', what: 'every file, on every node' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout, ...manyNodeOptions },
  args: {},
  run: async ({ options }, context) => {
    const { showUnsigned } = await import('../client/show-unsigned.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showUnsigned(one, context));
  },
});
