import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag } from '../framework/options.ts';

export const getCertificatesCommand = defineCommand({
  path: ['get', 'certificates'],
  summary: 'List the certificates on a node, the first to end first',
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth get certificates', what: 'API, kubelet, kubeadm, etcd' },
    { run: 'plinth get certificates --exit-code -q', what: 'in a script: 3 when one ends in 14 days' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    ...manyNodeOptions,
    exitCode: flag('End with 3 when one ends within 14 days, or could not be read'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { showCertificates } = await import('../client/show-certificates.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes(options, context, (one) => showCertificates(one, context));
  },
});
