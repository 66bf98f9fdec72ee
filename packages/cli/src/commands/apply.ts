import { changeOptions } from '../config/config-options.ts';
import { defineCommand } from '../framework/command.ts';
import { required } from '../framework/options.ts';

export const applyCommand = defineCommand({
  path: ['apply'],
  summary: 'Apply a machine config to a node, which goes back if it fails',
  details: [
    'auto and staged go back unless the node is healthy; staged waits for a boot. try goes',
    'back unless confirmed in time: this command does so over a new connection.',
  ],
  examples: [
    { run: 'plinth apply node.yaml --reason "second DNS server"', what: 'the plan first, then the change' },
    { run: 'plinth apply node.yaml --confirm-within 5m --no-confirm', what: 'confirm it yourself' },
  ],
  options: changeOptions,
  args: { file: required('FILE', 'Machine config, YAML') },
  run: async ({ args, options }, context) => {
    const { applyConfig } = await import('../config/apply-config.ts');
    return applyConfig(args.file, options, context);
  },
});
