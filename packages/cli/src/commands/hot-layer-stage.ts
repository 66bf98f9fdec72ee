import { resolve } from 'node:path';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { required, text } from '../framework/options.ts';

export const hotLayerStageCommand = defineCommand({
  path: ['hot-layer', 'stage'],
  summary: 'Store a hot layer on a node without using it',
  details: ['Refused when it is for another image, older than one before, or lacks a fix of the active one.'],
  examples: [
    { run: 'plinth hot-layer stage hot-layer_1.4.2-1_x86-64.sysext.raw', what: 'on the current node' },
    { run: 'plinth hot-layer stage L.raw --manifest L.json --context n2', what: 'other names' },
  ],
  options: {
    manifest: text('FILE', 'Its manifest; default: the one beside it'),
    context: nodeOptions.context,
  },
  args: { layer: required('LAYER', 'File of the layer') },
  run: async ({ args, options }, context) => {
    const { stageHotLayer } = await import('../flows/hot-layer-acts.ts');
    return stageHotLayer({ ...options, layer: resolve(args.layer) }, context);
  },
});
