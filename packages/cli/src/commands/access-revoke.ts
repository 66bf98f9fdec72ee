import { nodeOptions } from '../client/node-options.ts';
import { keyOptions } from '../flows/key-folder.ts';
import { defineCommand } from '../framework/command.ts';
import { required, textOr } from '../framework/options.ts';

export const accessRevokeCommand = defineCommand({
  path: ['access', 'revoke'],
  summary: 'Take a certificate back, at once and on every node this client knows',
  details: [
    'Calls and connections under way end. A name stands for all certificates issued to it',
    'until now. Tell nodes that were off later with "plinth access push".',
  ],
  examples: [
    { run: 'plinth access revoke bob --reason lost', what: 'all of bob' },
    { run: 'plinth access revoke sha256:8f3c91d2', what: 'one certificate' },
  ],
  options: {
    reason: textOr('TEXT', '', 'Why; told to whoever is refused'),
    timeout: nodeOptions.timeout,
    ...keyOptions,
  },
  args: { what: required('NAME|FINGERPRINT', 'One of "plinth access list"') },
  run: async ({ args, options }, context) => {
    const { revokeAccess } = await import('../access/push-revocations.ts');
    return revokeAccess(args.what, options.reason, options, context);
  },
});
