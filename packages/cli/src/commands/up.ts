import { keyOptions } from '../flows/key-folder.ts';
import { machineName, machineOptions } from '../flows/machine-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag } from '../framework/options.ts';

export const upCommand = defineCommand({
  path: ['up'],
  summary: 'Build the image, boot it in a machine, wait until the node is healthy',
  details: ['What has not changed is not built again. Secure Boot and a TPM are on.'],
  examples: [
    { run: 'plinth up', what: 'from nothing to a healthy node' },
    { run: 'plinth up two --memory 4096', what: 'another, larger machine' },
    { run: 'plinth up --frozen', what: 'never choose other package versions' },
  ],
  options: { ...machineOptions, frozen: flag('Take the committed locks or fail'), ...keyOptions },
  args: { name: machineName },
  run: async ({ args: { name = 'local' }, options }, context) => {
    const { bringUp } = await import('../flows/bring-up.ts');
    const { showNode } = await import('../client/show-node.ts');
    const summary = await bringUp(
      {
        ...options,
        name,
        memoryMiB: options.memory,
        secureBoot: !options.insecure,
        healthTimeoutMs: 180_000,
      },
      context,
    );
    return showNode(summary, context.style);
  },
});
