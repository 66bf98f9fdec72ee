import { manyNodeOptions, wantsManyNodes } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const healthCommand = defineCommand({
  path: ['health'],
  summary: 'Show what is wrong with nodes, why, and what to do about it',
  extraFormats: ['name'],
  examples: [
    { run: 'plinth health', what: 'every node of the local cluster' },
    { run: 'plinth health --context local-cp-2', what: 'one node' },
    { run: 'plinth health --nodes cp1,w1,w2 --exit-code', what: 'other nodes, in a script' },
    { run: 'plinth health -l role=worker', what: 'the workers of the cluster, through one node' },
  ],
  options: { ...nodeOptions, ...manyNodeOptions },
  args: {},
  run: async ({ options }, context) => {
    const { askHealth, showClusterHealth } = await import('../client/show-cluster-health.ts');
    const { clusterNodes } = await import('../cluster/cluster-contexts.ts');
    const { meantNode } = await import('../flows/node-acts.ts');
    // Without a word about nodes it is the local cluster that is meant, else the one node.
    const usual = async () => {
      if (options.context !== undefined) return [options.context];
      return clusterNodes(undefined, context).catch(async () => [await meantNode(undefined, context)]);
    };
    const nodes = wantsManyNodes(options) ? options.nodes : (await usual()).join(',');
    return showClusterHealth(
      await askHealth({ ...options, nodes }, context),
      context.style,
      options.exitCode,
    );
  },
});
