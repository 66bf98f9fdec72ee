import { hotLayerWait } from '../client/hot-layer-options.ts';
import { defineCommand } from '../framework/command.ts';

export const hotLayerRetireCommand = defineCommand({
  path: ['hot-layer', 'retire'],
  summary: 'Take the hot layer of a node away: the image runs as it was built',
  details: ['Not needed after an update: a layer is not merged over another image than its own.'],
  examples: [
    { run: 'plinth hot-layer retire', what: 'on the current node' },
    { run: 'plinth hot-layer retire --context n2', what: 'on another' },
  ],
  options: hotLayerWait,
  args: {},
  run: async ({ options }, context) => {
    const { retireHotLayer } = await import('../flows/hot-layer-acts.ts');
    return retireHotLayer(options, context);
  },
});
