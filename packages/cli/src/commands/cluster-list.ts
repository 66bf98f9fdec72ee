import { defineCommand } from '../framework/command.ts';

export const clusterListCommand = defineCommand({
  path: ['cluster', 'list'],
  summary: 'List the clusters on this computer',
  extraFormats: ['name'],
  examples: [
    { run: 'plinth cluster list', what: 'versions, sizes, how many nodes are up' },
    { run: 'plinth cluster list -o name', what: 'names only' },
  ],
  options: {},
  args: {},
  run: async (_input, context) => {
    const { showClusters } = await import('../cluster/show-clusters.ts');
    return showClusters(context);
  },
});
