import { actOptions, actTimes } from '../client/act-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, text, textOr } from '../framework/options.ts';
import { nextCommands, plainText } from '../output/blocks.ts';

export const bootstrapCommand = defineCommand({
  path: ['bootstrap'],
  summary: 'Make a node the first control plane of a new cluster',
  details: ['Refused on a node that is or was a member. "plinth up" does it for local machines.'],
  examples: [
    { run: 'plinth bootstrap', what: 'the current node, newest layer' },
    {
      run: 'plinth bootstrap --context n1 --name prod --address 192.0.2.11',
      what: 'a node that has several addresses',
    },
  ],
  options: {
    name: textOr('NAME', 'local', 'Name of the cluster'),
    kubernetes: text('VERSION', 'One of the layers of the node; default: the newest'),
    address: text('IP', 'Where other nodes reach it; needed when it has several'),
    serverNames: text('LIST', 'More names and addresses of the API server'),
    dedicated: flag('Keep workloads off control planes'),
    ...actOptions,
  },
  args: {},
  run: async ({ options }, context) => {
    const { bootstrapNode } = await import('../flows/node-acts.ts');
    const serverNames = (options.serverNames ?? '').split(',').filter((name) => name !== '');
    const node = await bootstrapNode(
      {
        ...options,
        ...actTimes(options),
        cluster: options.name,
        version: options.kubernetes ?? '',
        address: options.address ?? '',
        serverNames,
      },
      context,
    );
    return {
      data: { node, cluster: options.name },
      view: [
        plainText(`Node "${node}" is the first control plane of cluster "${options.name}".`),
        nextCommands([
          ['plinth kubeconfig --merge', 'for kubectl'],
          [`plinth join --context NODE ${node}`, 'add a node'],
        ]),
      ],
    };
  },
});
