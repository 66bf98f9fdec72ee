import { hotLayerWait } from '../client/hot-layer-options.ts';
import { defineCommand } from '../framework/command.ts';

export const hotLayerActivateCommand = defineCommand({
  path: ['hot-layer', 'activate'],
  summary: 'Merge the staged hot layer and restart what runs replaced files',
  details: ['A node that is not healthy with it takes it back. Ctrl-C detaches: the node goes on.'],
  examples: [
    { run: 'plinth hot-layer activate', what: 'on the current node' },
    { run: 'plinth hot-layer activate --context n2 --timeout 900', what: 'wait longer' },
  ],
  options: hotLayerWait,
  args: {},
  run: async ({ options }, context) => {
    const { activateHotLayer } = await import('../flows/hot-layer-acts.ts');
    return activateHotLayer(options, context);
  },
});
