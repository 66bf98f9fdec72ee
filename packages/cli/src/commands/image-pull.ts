import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { integer, required } from '../framework/options.ts';

export const imagePullCommand = defineCommand({
  path: ['image', 'pull'],
  summary: 'Let a node pull an image before it is needed',
  details: [
    'Registries, mirrors and credentials are those of the machine config.',
    'Ctrl-C stops looking; the node goes on. It is refused without the role operator.',
  ],
  examples: [
    { run: 'plinth image pull registry.example/app:1.2', what: 'to the current node' },
    { run: 'plinth image pull registry.example/app:1.2 -l role=worker', what: 'to all workers' },
  ],
  options: {
    context: nodeOptions.context,
    ...manyNodeOptions,
    timeout: integer('SECONDS', { min: 1, max: 3600, fallback: 600 }, 'How long to wait for it'),
  },
  args: { image: required('IMAGE', 'Its whole name: REGISTRY/PATH:TAG or REGISTRY/PATH@DIGEST') },
  run: async ({ options, args }, context) => {
    const { pullOnNode } = await import('../client/change-images.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) =>
      pullOnNode(args.image, { ...one, pullSeconds: options.timeout }, context),
    );
  },
});
