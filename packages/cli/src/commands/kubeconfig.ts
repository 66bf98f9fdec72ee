import { resolve } from 'node:path';
import { defineCommand } from '../framework/command.ts';
import { flag, optional, text } from '../framework/options.ts';
import { facts, nextCommands } from '../output/blocks.ts';

export const kubeconfigCommand = defineCommand({
  path: ['kubeconfig'],
  summary: 'Get a kubeconfig of a cluster administrator',
  details: ['For a local cluster from a control plane that runs; its key is in the file and nowhere else.'],
  examples: [
    { run: 'plinth kubeconfig', what: 'the file of the local cluster' },
    { run: 'plinth kubeconfig --merge', what: 'into $KUBECONFIG or ~/.kube/config' },
    { run: 'plinth kubeconfig --context cp1 --server https://192.0.2.1:6443 --output k', what: 'elsewhere' },
  ],
  options: {
    merge: flag('Put it into your own kubeconfig and make it current there'),
    output: text('FILE', 'Write it there, for its owner only'),
    context: text('NAME', 'Control plane to ask, when the cluster is not local'),
    server: text('URL', 'Where kubectl reaches the API server; default: the node itself'),
  },
  args: { cluster: optional('CLUSTER', 'Local cluster; default: that of the current context') },
  run: async ({ args, options }, context) => {
    const { getKubeconfig } = await import('../flows/get-kubeconfig.ts');
    const output = options.output === undefined ? undefined : resolve(options.output);
    const kept = await getKubeconfig({ ...options, output, cluster: args.cluster }, context);
    return {
      data: kept,
      names: [kept.path],
      view: [
        facts([
          ['cluster', kept.cluster],
          ['kubeconfig', kept.path],
          ['server', kept.server],
          ['expires', kept.expiresAt],
        ]),
        nextCommands([
          kept.merged
            ? ['kubectl get nodes', `context plinth-${kept.cluster} is current`]
            : [`export KUBECONFIG=${kept.path}`, 'for kubectl in this shell'],
        ]),
      ],
    };
  },
});
