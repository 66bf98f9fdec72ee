import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { required, text } from '../framework/options.ts';

export const filesReadCommand = defineCommand({
  path: ['files', 'read'],
  summary: 'Print a file of a node, or save it',
  details: ['On a terminal control characters are taken out; into a file or pipe it goes byte for byte.'],
  examples: [
    { run: 'plinth files read /etc/resolv.conf', what: 'on the terminal' },
    {
      run: 'plinth files read /var/log/journal/ID/system.journal --output a.journal',
      what: 'into a new file',
    },
  ],
  options: {
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    output: text('FILE', 'Save it in this file, which does not exist yet'),
  },
  args: { path: required('PATH', 'Absolute path on the node') },
  run: async ({ options, args }, context) => {
    const { readNodeFile } = await import('../client/show-files.ts');
    return readNodeFile(args.path, options, context);
  },
});
