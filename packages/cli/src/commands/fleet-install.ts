import { clusterOptions } from '../fleet/cluster-options.ts';
import { keyOptions } from '../flows/key-folder.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, integer, text, textOr } from '../framework/options.ts';
import { timeSpan } from '../framework/time-span.ts';
import { usageError } from '../framework/usage-error.ts';

export const fleetInstallCommand = defineCommand({
  path: ['fleet', 'install'],
  summary: 'Bring the fleet operator into a cluster, or to another image',
  details: ['Gives it a certificate for the nodes; run it again before that ends.'],
  examples: [
    { run: 'plinth fleet install --image registry.example/fleet:1', what: 'where kubectl goes too' },
    { run: 'plinth fleet install --image fleet:1 --print > f.yaml', what: 'for GitOps' },
  ],
  options: {
    image: text('REF', 'Image of the operator'),
    namespace: textOr('NAME', 'plinth-fleet', 'Where it runs'),
    replicas: integer('N', { min: 1, max: 5, fallback: 2 }, 'One works, the others wait'),
    role: textOr('ROLE', 'operator', 'What it may do on nodes'),
    ttl: timeSpan({ min: '1h', max: '365d', fallback: '90d' }, 'How long its certificate holds'),
    allowPodDeletion: flag('For policies with drain.escalation.deleteAfter'),
    deleteMachines: flag('For policies with replace (Cluster API)'),
    monitoring: flag('Alerts, dashboard, ServiceMonitor of Prometheus'),
    print: flag('Write manifests and change nothing'),
    ...clusterOptions,
    ...keyOptions,
  },
  args: {},
  run: async ({ options: { image, ...options } }, context) => {
    if (image === undefined) throw usageError('--image is missing, expected the image of the operator');
    const { installFleet } = await import('../fleet/install-fleet.ts');
    return installFleet({ image, ...options }, context);
  },
});
