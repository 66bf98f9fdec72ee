import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, integer } from '../framework/options.ts';

export const getCgroupsCommand = defineCommand({
  path: ['get', 'cgroups'],
  summary: 'Show who uses memory and processors: slices, services, pods',
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth get cgroups', what: 'the tree' },
    { run: 'plinth get cgroups --containers -o wide', what: 'containers too, with what each waits for' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    ...manyNodeOptions,
    sample: integer('SECONDS', { min: 0, max: 5, fallback: 1 }, 'Measure the use of processors for so long'),
    containers: flag('Also what lies below pods'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { showCgroups } = await import('../client/show-resources.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showCgroups(one, context));
  },
});
