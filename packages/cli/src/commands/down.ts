import { defineCommand } from '../framework/command.ts';
import { flag, optional } from '../framework/options.ts';
import { nextCommands, plainText } from '../output/blocks.ts';

export const downCommand = defineCommand({
  path: ['down'],
  summary: 'Stop the machine that "plinth up" started',
  examples: [
    { run: 'plinth down', what: 'its disk stays for the next "plinth up"' },
    { run: 'plinth down --wipe', what: 'the next one starts from nothing' },
  ],
  options: { wipe: flag('Remove its disk, firmware variables and TPM as well') },
  args: { name: optional('NAME', 'Name of the machine (default: local)') },
  run: async ({ args: { name = 'local' }, options }, context) => {
    const { stopNode } = await import('../flows/stop-node.ts');
    const outcome = await stopNode(name, { wipe: options.wipe }, context);
    return {
      data: { name, outcome },
      view: [
        plainText(`Machine "${name}": ${outcome.replaceAll('-', ' ')}.`),
        nextCommands([['plinth up', 'start it again']]),
      ],
    };
  },
});
