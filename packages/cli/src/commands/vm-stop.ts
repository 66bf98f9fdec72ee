import { defineCommand } from '../framework/command.ts';
import { flag, integer, optional } from '../framework/options.ts';
import { plainText } from '../output/blocks.ts';

export const vmStopCommand = defineCommand({
  path: ['vm', 'stop'],
  summary: 'Stop a machine and keep its disk',
  examples: [
    { run: 'plinth vm stop', what: 'press the power button and wait' },
    { run: 'plinth vm stop node-2 --grace 0', what: 'take its power at once' },
    { run: 'plinth vm stop --wipe', what: 'remove its disk and TPM too' },
  ],
  options: {
    grace: integer('SECONDS', { min: 0, max: 3600, fallback: 120 }, 'Time it may take to power itself off'),
    wipe: flag('Remove the machine: disk, firmware variables, TPM, console'),
  },
  args: { name: optional('NAME', 'Name of the machine (default: local)') },
  run: async ({ args: { name = 'local' }, options }, context) => {
    const { stopNode } = await import('../flows/stop-node.ts');
    const outcome = await stopNode(name, { graceMs: options.grace * 1000, wipe: options.wipe }, context);
    return {
      data: { name, outcome },
      view: [plainText(`Machine "${name}": ${outcome.replaceAll('-', ' ')}.`)],
    };
  },
});
