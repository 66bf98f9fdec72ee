import { basename, resolve } from 'node:path';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { required, text } from '../framework/options.ts';
import { usageError } from '../framework/usage-error.ts';
import { plainText } from '../output/blocks.ts';

export const kubernetesStageCommand = defineCommand({
  path: ['kubernetes', 'stage'],
  summary: 'Store a Kubernetes layer on a node without using it',
  details: ['The node checks its signature and refuses a layer that its OS does not accept.'],
  examples: [
    { run: 'plinth kubernetes stage kubernetes_1.37.1.raw', what: 'on the current node' },
    { run: 'plinth kubernetes stage l.raw --kubernetes 1.37.1 --context n2', what: 'on another' },
  ],
  options: {
    kubernetes: text('VERSION', 'Version of the layer; default: what the file name says'),
    context: nodeOptions.context,
  },
  args: { layer: required('LAYER', 'File of the layer') },
  run: async ({ args, options }, context) => {
    const { sendLayer } = await import('../flows/upgrade-cluster.ts');
    const { meantNode } = await import('../flows/node-acts.ts');
    const layer = resolve(args.layer);
    const target = options.kubernetes ?? /(\d+\.\d+\.\d+)/.exec(basename(layer))?.[1];
    if (target === undefined) {
      throw usageError(`file name ${basename(layer)} has no version, expected --kubernetes VERSION`);
    }
    const name = await meantNode(options.context, context);
    await context.progress.step(`Send the layer of ${target} to node "${name}"`, (step) =>
      sendLayer(name, { layer, target }, context, step),
    );
    return {
      data: { node: name, version: target },
      view: [plainText(`Node "${name}" has the layer of Kubernetes ${target}.`)],
    };
  },
});
