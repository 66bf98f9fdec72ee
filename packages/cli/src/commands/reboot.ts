import { machineOptions } from '../client/machine-options.ts';
import { defineCommand } from '../framework/command.ts';

export const rebootCommand = defineCommand({
  path: ['reboot'],
  summary: 'Reboot a node in good order',
  details: [
    'Refused while it is at another act, and where etcd would lose its quorum.',
    'A drain respects disruption budgets; data in emptyDir volumes is lost.',
  ],
  examples: [
    { run: 'plinth reboot --wait', what: 'the current node, and wait until it is healthy again' },
    { run: 'plinth reboot --context w1 --drain --wait --reason firmware', what: 'a member' },
  ],
  options: machineOptions,
  args: {},
  run: async ({ options }, context) => {
    const { rebootNode } = await import('../flows/end-machine.ts');
    const { showReboot } = await import('../client/show-machine.ts');
    return showReboot(await rebootNode(options, context));
  },
});
