import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { optional } from '../framework/options.ts';

export const filesListCommand = defineCommand({
  path: ['files', 'list'],
  summary: 'List the files of a node that may be read',
  details: ['Logs, configuration, parts of /proc and /sys; never keys, passwords and kubeconfigs.'],
  extraFormats: ['name'],
  examples: [
    { run: 'plinth files list', what: 'the places that may be read' },
    { run: 'plinth files list /var/log/journal', what: 'one folder' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout, ...manyNodeOptions },
  args: { path: optional('FOLDER', 'Absolute path; default: the places') },
  run: async ({ options, args }, context) => {
    const { showFiles } = await import('../client/show-files.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showFiles(args.path, one, context));
  },
});
