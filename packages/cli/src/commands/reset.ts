import { machineOptions } from '../client/machine-options.ts';
import { defineCommand } from '../framework/command.ts';
import { text } from '../framework/options.ts';

export const resetCommand = defineCommand({
  path: ['reset'],
  summary: 'Wipe the data of a node; it comes back as a new one',
  details: [
    'Its next start makes /var anew, also after a power cut: identity, layers, logs',
    'and volumes are lost. Blocks are discarded, not overwritten; the key slots of an',
    'encrypted /var are.',
    'A member of a cluster has to leave first.',
  ],
  examples: [
    { run: 'plinth reset --confirm w1 --wait', what: 'node w1, if that is the current one' },
    { run: 'plinth reset --context w1 --confirm w1 --override w1', what: 'although it is a member' },
  ],
  options: {
    confirm: text('NODE', "The node's name, typed by you"),
    reason: machineOptions.reason,
    override: machineOptions.override,
    wait: machineOptions.wait,
    context: machineOptions.context,
    timeout: machineOptions.timeout,
  },
  args: {},
  run: async ({ options }, context) => {
    const { resetNode } = await import('../flows/end-machine.ts');
    const { showReset } = await import('../client/show-machine.ts');
    return showReset(await resetNode(options, context));
  },
});
