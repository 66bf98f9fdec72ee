import { defineCommand } from '../framework/command.ts';
import { flag, optional } from '../framework/options.ts';

export const vmConsoleCommand = defineCommand({
  path: ['vm', 'console'],
  summary: 'Show the serial console of a machine',
  details: ['The node has no shell: what can be typed is for the boot menu. Ctrl-] leaves.'],
  examples: [
    { run: 'plinth vm console', what: 'from the last start on, then live' },
    { run: 'plinth vm console node-2 --attach', what: 'type into the boot menu too' },
    { run: 'plinth vm console --dump > boot.log', what: 'what there is so far' },
  ],
  options: {
    attach: flag('Send what is typed to the machine'),
    dump: flag('Print what there is and end'),
  },
  args: { name: optional('NAME', 'Name of the machine (default: local)') },
  run: async ({ args: { name = 'local' }, options }, context) => {
    const { showConsole } = await import('../flows/show-console.ts');
    await context.suspendProgress(() => showConsole(name, options, context));
    return undefined;
  },
});
