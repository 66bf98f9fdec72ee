import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { integer, required } from '../framework/options.ts';

export const varResealCommand = defineCommand({
  path: ['var', 'reseal'],
  summary: 'Seal /var of a node to the TPM it has now, by its recovery key',
  details: [
    'After the TPM was cleared or replaced: the node came up with /var in memory.',
    'What opened /var before by a TPM opens it no longer. Reboot afterwards.',
  ],
  examples: [
    { run: 'plinth var reseal w1.key', what: 'with the key in that file' },
    { run: 'age -d -i me.txt w1.key.age | plinth var reseal /dev/stdin', what: 'it lies nowhere' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: integer('SECONDS', { min: 1, max: 360, fallback: 300 }, 'Bound on the work of the TPM'),
  },
  args: { file: required('FILE', 'Holds the recovery key') },
  run: async ({ args, options }, context) => {
    const { resealVar } = await import('../flows/reseal-var.ts');
    return resealVar({ ...options, file: args.file }, context);
  },
});
