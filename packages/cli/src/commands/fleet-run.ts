import { clusterOptions } from '../fleet/cluster-options.ts';
import { defineCommand } from '../framework/command.ts';
import { integer, text, textOr } from '../framework/options.ts';
import { usageError } from '../framework/usage-error.ts';

export const fleetRunCommand = defineCommand({
  path: ['fleet', 'run'],
  summary: 'Be the fleet operator here, until Ctrl-C',
  details: ['Of several, also those in the cluster, one leads: who holds the Lease.'],
  streams: true,
  examples: [
    { run: 'plinth fleet run --cert op.pem --key op-key.pem', what: 'by the kubeconfig' },
    { run: 'plinth fleet run --cert a --key b --port 0', what: 'metrics at a free port' },
  ],
  options: {
    cert: text('FILE', 'Certificate that nodes are called with'),
    key: text('FILE', 'Its key'),
    namespace: textOr('NAME', 'plinth-fleet', 'Where the Lease lies'),
    address: textOr('ADDRESS', '127.0.0.1', 'Where metrics are told'),
    port: integer('PORT', { min: 0, max: 65_535, fallback: 8080 }, 'Port of it'),
    nodePort: integer('PORT', { min: 1, max: 65_535, fallback: 7546 }, 'Port of plinthd'),
    webhook: text('URL', 'Send CloudEvents there'),
    ...clusterOptions,
  },
  args: {},
  run: async ({ options: { cert, key, ...options } }, context) => {
    if (cert === undefined || key === undefined)
      throw usageError('--cert and --key are missing, expected what the Secret plinth-fleet-node-access has');
    const { runFleet } = await import('../fleet/run-fleet.ts');
    return runFleet({ cert, key, ...options }, context);
  },
});
