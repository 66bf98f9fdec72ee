import { keyOptions } from '../flows/key-folder.ts';
import { machineSizeOptions } from '../flows/machine-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, optional } from '../framework/options.ts';

export const clusterAddNodeCommand = defineCommand({
  path: ['cluster', 'add-node'],
  summary: 'Add one machine to a cluster on this computer',
  examples: [
    { run: 'plinth cluster add-node', what: 'a worker' },
    { run: 'plinth cluster add-node big --control-plane', what: 'a control plane of another' },
  ],
  options: {
    controlPlane: flag('As a control plane; default: as a worker'),
    ...machineSizeOptions,
    frozen: flag('Take the committed locks or fail'),
    ...keyOptions,
  },
  args: { name: optional('CLUSTER', 'Local cluster; default: that of the current context') },
  run: async ({ args: { name }, options }, context) => {
    const { localCluster } = await import('../cluster/cluster-contexts.ts');
    const { bringUpCluster } = await import('../flows/bring-up-cluster.ts');
    const { showCluster } = await import('../cluster/cluster-summary.ts');
    const { members, name: cluster } = await localCluster(name, context);
    const count = (role: string) => members.filter((member) => member.role === role).length;
    return showCluster(
      await bringUpCluster(
        {
          ...options,
          name: cluster,
          controlPlanes: count('control-plane') + (options.controlPlane ? 1 : 0),
          workers: count('worker') + (options.controlPlane ? 0 : 1),
          memoryMiB: options.memory,
          kubernetes: undefined,
          secureBoot: !options.insecure,
        },
        context,
      ),
    );
  },
});
