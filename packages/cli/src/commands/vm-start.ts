import { resolve } from 'node:path';
import { keyOptions } from '../flows/key-folder.ts';
import { machineName, machineOptions } from '../flows/machine-options.ts';
import { defineCommand } from '../framework/command.ts';
import { text } from '../framework/options.ts';
import { facts, nextCommands, plainText } from '../output/blocks.ts';

export const vmStartCommand = defineCommand({
  path: ['vm', 'start'],
  summary: 'Start a machine and wait until its node answers',
  details: ['Without --disk, the disk it had before. "plinth up" builds one.'],
  examples: [
    { run: 'plinth vm start', what: 'again, after "plinth vm stop"' },
    { run: 'plinth vm start two --disk disk.raw', what: 'a new machine on a built disk' },
  ],
  options: { disk: text('FILE', 'Raw disk image; it is not written to'), ...machineOptions, ...keyOptions },
  args: { name: machineName },
  run: async ({ args: { name = 'local' }, options }, context) => {
    const { startAlone } = await import('../flows/start-alone.ts');
    const node = await startAlone(
      {
        ...options,
        disk: options.disk === undefined ? undefined : resolve(options.disk),
        name,
        memoryMiB: options.memory,
        secureBoot: !options.insecure,
      },
      context,
    );
    const { endpoint, fingerprint } = node.context;
    return {
      data: { name, wasRunning: node.wasRunning, endpoint, fingerprint },
      view: [
        ...(node.wasRunning ? [plainText(`Machine "${name}" runs already.`)] : []),
        facts([
          ['machine', name],
          ['api', endpoint],
        ]),
        nextCommands([
          [`plinth get health --context ${name}`, 'how is it?'],
          [`plinth vm stop ${name}`, 'stop it'],
        ]),
      ],
    };
  },
});
