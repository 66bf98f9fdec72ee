import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag } from '../framework/options.ts';

export const getIntegrityCommand = defineCommand({
  path: ['get', 'integrity'],
  summary: 'Show whether the running system is the verified one',
  details: ['Read from kernel, firmware and TPM when asked; "unknown" is never fine.'],
  extraFormats: ['wide'],
  examples: [
    { run: 'plinth get integrity', what: 'every check with its verdict' },
    { run: 'plinth get integrity --mounts --pcrs', what: 'and what they were judged by' },
    { run: 'plinth get integrity --exit-code -q', what: 'in a script' },
  ],
  options: {
    ...nodeOptions,
    ...manyNodeOptions,
    mounts: flag('List every mount, judged against the path table'),
    pcrs: flag('List the platform configuration registers'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { showIntegrity } = await import('../client/show-integrity.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showIntegrity(one, context));
  },
});
