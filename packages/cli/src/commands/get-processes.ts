import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { choice, flag, integer } from '../framework/options.ts';

export const getProcessesCommand = defineCommand({
  path: ['get', 'processes'],
  summary: 'List the processes of a node, the hungriest first',
  details: ['Values in command lines are left out: nobody can tell which are secret.'],
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth get processes --sort memory -o wide', what: 'by memory, with threads and age' },
    { run: 'plinth get processes --args', what: 'whole command lines, for admins' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    ...manyNodeOptions,
    sample: integer('SECONDS', { min: 0, max: 5, fallback: 1 }, 'Measure processor use for so long'),
    sort: choice(['cpu', 'memory', 'pid'], 'What comes first; default: cpu'),
    args: flag('Whole command lines; for admins'),
    kernel: flag('Threads of the kernel too'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { showProcesses } = await import('../client/show-processes.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showProcesses(one, context));
  },
});
