import { defineCommand } from '../framework/command.ts';
import { flag, optional } from '../framework/options.ts';
import { nextCommands, plainText } from '../output/blocks.ts';

export const downCommand = defineCommand({
  path: ['down'],
  summary: 'Stop the machines that "plinth up" started',
  examples: [
    { run: 'plinth down', what: 'the disks stay for the next "plinth up"' },
    { run: 'plinth down --wipe', what: 'the next one starts from nothing' },
  ],
  options: { wipe: flag('Remove disks, firmware variables and TPMs as well') },
  args: { name: optional('NAME', 'Name of the cluster, or of a machine (default: local)') },
  run: async ({ args: { name = 'local' }, options }, context) => {
    const { takeDown } = await import('../flows/take-down.ts');
    const { what, outcome, machines } = await takeDown(name, options.wipe, context);
    return {
      data: { name, outcome, machines },
      view: [
        plainText(`${what} "${name}": ${outcome.replaceAll('-', ' ')}.`),
        nextCommands([[name === 'local' ? 'plinth up' : `plinth up ${name}`, 'start it again']]),
      ],
    };
  },
});
