import { manyNodeOptions, manyNodesText, wantsManyNodes } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { agree, consentOption } from '../framework/consent.ts';
import { required } from '../framework/options.ts';
import { printable } from '../output/printable.ts';

export const imageRemoveCommand = defineCommand({
  path: ['image', 'remove'],
  summary: 'Remove an image from a node',
  details: ['Refused for one that a container uses, and for those the system is made of.'],
  examples: [
    { run: 'plinth image remove registry.example/app:1.1', what: 'from the current node' },
    { run: 'plinth image remove sha256:8f3c… --all-nodes', what: 'by its id, everywhere' },
  ],
  options: {
    yes: consentOption,
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    ...manyNodeOptions,
  },
  args: { image: required('IMAGE', 'One of its names, or its id') },
  run: async ({ options, args }, context) => {
    const { removeFromNode } = await import('../client/change-images.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    const where = wantsManyNodes(options) ? manyNodesText(options) : 'the node';
    await agree(`Remove ${printable(args.image)} from ${where}?`, options.yes, context);
    return showOnNodes(options, context, (one) => removeFromNode(args.image, one, context));
  },
});
