import { defineCommand } from '../framework/command.ts';
import { agreeByName } from '../framework/consent.ts';
import { required, text } from '../framework/options.ts';
import { plainText } from '../output/blocks.ts';

export const clusterDestroyCommand = defineCommand({
  path: ['cluster', 'destroy'],
  summary: 'Remove a cluster on this computer with all its machines and data',
  examples: [
    { run: 'plinth cluster destroy local --confirm local', what: 'all of it' },
    { run: 'plinth cluster destroy big --confirm big -q', what: 'without progress' },
  ],
  options: { confirm: text('CLUSTER', 'Its name once more, typed by you') },
  args: { name: required('CLUSTER', 'Local cluster') },
  run: async ({ args: { name }, options }, context) => {
    const { findCluster } = await import('@plinth/local');
    const { destroyCluster } = await import('../flows/stop-cluster.ts');
    await findCluster(name);
    agreeByName(options.confirm, name, `all data of cluster "${name}" would be lost`);
    const { members } = await destroyCluster(name, context);
    return {
      data: { name, outcome: 'removed', machines: members.map((member) => member.name) },
      view: [plainText(`Cluster "${name}": removed.`)],
    };
  },
});
