import { changeOptions } from '../config/config-options.ts';
import { defineCommand } from '../framework/command.ts';
import { required } from '../framework/options.ts';

export const applyCommand = defineCommand({
  path: ['apply'],
  summary: 'Apply a machine config to a node, which goes back by itself when it fails',
  details: [
    'auto: at once, goes back unless the node is healthy with it. staged: at the next boot, likewise.',
    'try: at once, goes back unless confirmed in time; this command confirms over a new connection.',
  ],
  examples: [
    { run: 'plinth apply node.yaml --reason "second DNS server"', what: 'the plan first, then the change' },
    { run: 'plinth apply node.yaml --mode staged --yes', what: 'at the next boot' },
    { run: 'plinth apply node.yaml --confirm-within 5m --no-confirm', what: 'confirm it yourself' },
  ],
  options: changeOptions,
  args: { file: required('FILE', 'Machine config, YAML') },
  run: async ({ args, options }, context) => {
    const { applyConfig } = await import('../config/apply-config.ts');
    return applyConfig(args.file, options, context);
  },
});
