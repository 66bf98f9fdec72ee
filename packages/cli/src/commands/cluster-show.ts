import { defineCommand } from '../framework/command.ts';
import { optional } from '../framework/options.ts';

export const clusterShowCommand = defineCommand({
  path: ['cluster', 'show'],
  summary: 'Show the machines and nodes of a cluster on this computer',
  extraFormats: ['name'],
  examples: [
    { run: 'plinth cluster show', what: 'that of the current context' },
    { run: 'plinth cluster show big -o json', what: 'another one, for a program' },
  ],
  options: {},
  args: { name: optional('CLUSTER', 'Local cluster; default: that of the current context') },
  run: async ({ args: { name } }, context) => {
    const { localCluster } = await import('../cluster/cluster-contexts.ts');
    const { showOneCluster } = await import('../cluster/show-clusters.ts');
    return showOneCluster(await localCluster(name, context), context);
  },
});
