import { keyOptions } from '../flows/key-folder.ts';
import { machineSizeOptions } from '../flows/machine-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, maybeInteger, optional, type ValueSpec } from '../framework/options.ts';

/** The parser gives --no-kubernetes as the value false of --kubernetes. */
const kubernetes: ValueSpec<string | false | undefined> = {
  placeholder: 'VERSION',
  help: 'Version of a new cluster; default: the newest',
  read: (raw) => (typeof raw === 'string' || raw === false ? raw : undefined),
};

export const upCommand = defineCommand({
  path: ['up'],
  summary: 'Build the image, boot a cluster, wait until it is ready',
  details: ['One machine does everything, unless more are asked for.'],
  extraFormats: ['name'],
  examples: [
    { run: 'plinth up', what: 'from nothing to a cluster' },
    { run: 'plinth up big --control-planes 3 --workers 2', what: 'another one' },
    { run: 'plinth up bare --no-kubernetes', what: 'one node and no cluster' },
  ],
  options: {
    controlPlanes: maybeInteger('N', { min: 1, max: 9 }, 'Control planes; never fewer than there are'),
    workers: maybeInteger('N', { min: 0, max: 99 }, 'Workers; never fewer than there are'),
    kubernetes,
    noKubernetes: flag('Only the OS, on one machine'),
    renew: flag('First remove the cluster and its disks'),
    ...machineSizeOptions,
    frozen: flag('Take the committed locks or fail'),
    ...keyOptions,
  },
  args: { name: optional('NAME', 'Name of the cluster (default: local)') },
  run: async ({ args: { name = 'local' }, options }, context) => {
    const common = { ...options, name, memoryMiB: options.memory, secureBoot: !options.insecure };
    if (options.kubernetes === false) {
      const { bringUp } = await import('../flows/bring-up.ts');
      const { showNode } = await import('../client/show-node.ts');
      return showNode(
        await bringUp({ ...common, apiPort: 0, healthTimeoutMs: 180_000 }, context),
        context.style,
      );
    }
    const { bringUpCluster } = await import('../flows/bring-up-cluster.ts');
    const { showCluster } = await import('../cluster/cluster-summary.ts');
    if (options.renew) {
      const { renewCluster } = await import('../flows/stop-cluster.ts');
      await renewCluster(name, context);
    }
    return showCluster(await bringUpCluster({ ...common, kubernetes: options.kubernetes }, context));
  },
});
