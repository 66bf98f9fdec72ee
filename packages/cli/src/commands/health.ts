import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { text } from '../framework/options.ts';

export const healthCommand = defineCommand({
  path: ['health'],
  summary: 'Show what is wrong with the nodes of a cluster, why, and what to do',
  extraFormats: ['name'],
  examples: [
    { run: 'plinth health', what: 'every node of the local cluster' },
    { run: 'plinth health --context local-cp-2', what: 'one node' },
    { run: 'plinth health --nodes cp1,w1,w2 --exit-code', what: 'other nodes, in a script' },
  ],
  options: { ...nodeOptions, nodes: text('LIST', 'Contexts of the nodes to ask') },
  args: {},
  run: async ({ options }, context) => {
    const { askHealth, showClusterHealth } = await import('../client/show-cluster-health.ts');
    const { clusterNodes } = await import('../cluster/cluster-contexts.ts');
    const { meantNode } = await import('../flows/node-acts.ts');
    const names =
      options.nodes === undefined && options.context !== undefined
        ? [options.context]
        : await clusterNodes(options.nodes, context).catch(async (reason) => {
            if (options.nodes !== undefined) throw reason;
            return [await meantNode(undefined, context)];
          });
    const answers = await askHealth(names, options.timeout * 1000, context);
    return showClusterHealth(answers, context.style, options.exitCode);
  },
});
