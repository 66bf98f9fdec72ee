import { changeOptions } from '../config/config-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, required, text } from '../framework/options.ts';
import { usageError } from '../framework/usage-error.ts';

export const applyCommand = defineCommand({
  path: ['apply'],
  summary: 'Apply a machine config to a node, which goes back if it fails',
  details: ['auto and staged go back unless the node is healthy; try, unless confirmed.'],
  examples: [
    { run: 'plinth apply node.yaml --reason "second DNS server"', what: 'the plan first, then the change' },
    { run: 'plinth apply node.yaml --insecure --endpoint 192.0.2.7', what: 'a new machine in maintenance' },
  ],
  options: {
    ...changeOptions,
    insecure: flag('Give a node that waits in maintenance its first config'),
    endpoint: text('ADDRESS', 'Where that node is; with :PORT if not 7546'),
    fingerprint: text('SHA256', 'What its console shows; default: show it and ask'),
  },
  args: { file: required('FILE', 'Machine config, YAML') },
  run: async ({ args, options }, context) => {
    if (options.insecure) {
      const { mode, context: name, noConfirm } = options;
      if (mode !== undefined || name !== undefined || noConfirm)
        throw usageError('--insecure is for a first config, expected no --mode, --no-confirm or --context');
      const { applyFirst } = await import('../config/apply-first.ts');
      return applyFirst(args.file, options, context);
    }
    if (options.endpoint !== undefined || options.fingerprint !== undefined)
      throw usageError('--endpoint and --fingerprint are for --insecure, expected a context without it');
    const { applyConfig } = await import('../config/apply-config.ts');
    return applyConfig(args.file, options, context);
  },
});
