import { logOptions } from '../client/log-options.ts';
import { defineCommand } from '../framework/command.ts';

export const dmesgCommand = defineCommand({
  path: ['dmesg'],
  summary: 'Show the log of the kernel of a node, all of this boot',
  streams: true,
  examples: [
    { run: 'plinth dmesg --priority warning', what: 'what the kernel complains about' },
    { run: 'plinth dmesg --boot -1 -n 50', what: 'its last words before the last reboot' },
  ],
  options: logOptions,
  args: {},
  run: async ({ options }, context) => {
    const { showLogs } = await import('../client/show-logs.ts');
    return showLogs(options, { kernel: true }, context);
  },
});
