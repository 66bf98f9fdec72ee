import { nodeOptions } from '../client/node-options.ts';
import { clusterOptions } from '../fleet/cluster-options.ts';
import { trustOption } from '../flows/trust-option.ts';
import { defineCommand } from '../framework/command.ts';
import { choice, flag, integer, maybeInteger, several } from '../framework/options.ts';

const percent = { min: 1, max: 100, fallback: 33 };

export const clusterAttestCommand = defineCommand({
  path: ['cluster', 'attest'],
  summary: 'Attest every node of a cluster; keep new pods off those that fail',
  details: ['Nothing is evicted. Ends with 3 unless every node passes.'],
  examples: [
    { run: 'plinth cluster attest out/plinth_0.1.0', what: 'taints and untaints' },
    { run: 'plinth cluster attest out/plinth_0.1.0 --every 10', what: 'as a service' },
  ],
  options: {
    enrol: flag('Remember the TPM of nodes that are not known'),
    atMost: integer('PERCENT', percent, 'Of the nodes tainted at once'),
    dryRun: flag('Show what it would do'),
    admission: choice(
      ['off', 'report', 'required'],
      'Proof for certificates: off, report or required',
      'RULE',
    ),
    every: maybeInteger('MINUTES', { min: 1, max: 1440 }, 'Again and again, with such pauses'),
    ...trustOption,
    ...clusterOptions,
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
  },
  args: { releases: several('RELEASE', 'Releases they may run, or a repository') },
  run: async ({ options, args }, context) => {
    const { attestCluster } = await import('../attest/attest-cluster.ts');
    return attestCluster({ ...options, releases: args.releases }, context);
  },
});
