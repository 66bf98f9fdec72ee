import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const getKubernetesCommand = defineCommand({
  path: ['get', 'kubernetes'],
  summary: 'Show layers, membership and the last act of a node',
  extraFormats: ['wide'],
  examples: [
    { run: 'plinth get kubernetes', what: 'how far is it?' },
    { run: 'plinth get kubernetes --context local-cp-2 -o wide', what: 'another node, with notes' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout, ...manyNodeOptions },
  args: {},
  run: async ({ options }, context) => {
    const { showKubernetes } = await import('../client/show-kubernetes.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showKubernetes(one, context));
  },
});
