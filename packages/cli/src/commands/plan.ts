import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, required } from '../framework/options.ts';

export const planCommand = defineCommand({
  path: ['plan'],
  summary: 'Show what a machine config would change on a node, and how',
  details: ['Nothing is changed. Each value that differs stands with its effect: live, a unit, or a reboot.'],
  examples: [
    { run: 'plinth plan node.yaml', what: 'against the config of the current node' },
    { run: 'plinth plan node.yaml --context w1 --exit-code', what: 'in a script: 3 when something differs' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    exitCode: flag('End with 3 when something differs'),
  },
  args: { file: required('FILE', 'Machine config, YAML') },
  run: async ({ args, options }, context) => {
    const { showPlan } = await import('../config/show-config.ts');
    return showPlan(args.file, options, context);
  },
});
