import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, optional, text } from '../framework/options.ts';

export const varRecoveryKeyCommand = defineCommand({
  path: ['var', 'recovery-key'],
  summary: 'Take the recovery key of /var of a node, once, into an encrypted file',
  details: [
    'It opens /var where the TPM does not: after the TPM was cleared or the board',
    'replaced. The node forgets it. It is never printed: only who has the private',
    'key of a recipient reads the file ("age --decrypt").',
  ],
  extraFormats: ['name'],
  examples: [
    { run: 'plinth var recovery-key --recipient age1…', what: 'of the current node, for that key' },
    { run: 'plinth var recovery-key --renew', what: 'have the next start make a new one' },
  ],
  options: {
    recipient: text('KEYS', 'Public keys of age that may open it; with commas'),
    renew: flag('Take none; the next start makes a new one'),
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
  },
  args: { file: optional('FILE', 'A file that does not exist yet') },
  run: async ({ args, options }, context) => {
    const { takeRecoveryKey } = await import('../flows/take-recovery-key.ts');
    return takeRecoveryKey({ ...options, file: args.file }, context);
  },
});
