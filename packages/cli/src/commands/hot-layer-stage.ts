import { resolve } from 'node:path';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { optional, text } from '../framework/options.ts';

export const hotLayerStageCommand = defineCommand({
  path: ['hot-layer', 'stage'],
  summary: 'Store a hot layer on a node without using it',
  details: ['Refused when it is for another image, older than one before, or lacks a fix of the active one.'],
  examples: [
    { run: 'plinth hot-layer stage', what: 'what its repository has for the image it runs' },
    { run: 'plinth hot-layer stage hot-layer_1.4.2-1_x86-64.sysext.raw --context n2', what: 'a file' },
  ],
  options: {
    manifest: text('FILE', 'Its manifest; default: the one beside it'),
    context: nodeOptions.context,
  },
  args: { layer: optional('LAYER', "File of the layer; default: the newest of the node's repository") },
  run: async ({ args, options }, context) => {
    const { stageHotLayer } = await import('../flows/hot-layer-acts.ts');
    const layer = args.layer === undefined ? undefined : resolve(args.layer);
    return stageHotLayer({ ...options, layer }, context);
  },
});
