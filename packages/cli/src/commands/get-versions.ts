import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const getVersionsCommand = defineCommand({
  path: ['get', 'versions'],
  summary: 'Show which software a node runs, as it reports itself',
  examples: [
    { run: 'plinth get versions', what: 'image, kernel, systemd, containerd, agent' },
    { run: 'plinth get versions -o json --context n1', what: 'of another node' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout, ...manyNodeOptions },
  args: {},
  run: async ({ options }, context) => {
    const { showVersions } = await import('../client/show-versions.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showVersions(one, context));
  },
});
