import { z } from 'zod';
import type { ClusterView } from '../health/collect-health.ts';
import { nodeClient } from '../kubernetes/cluster-life.ts';
import { parseKubernetesVersion } from '../kubernetes/kubernetes-version.ts';
import { readText } from '../sys/sys.ts';
import { readyPodSchema } from './health/policy-checks.ts';
import { openUpdates, type Updates, type UpdatesParts } from './open-updates.ts';
import { openNodeMachine } from './stage/node-machine.ts';
import { openStager } from './stage/open-stager.ts';
import { openUpdateStore } from './stage/update-store.ts';

/** As many as a node runs at most. */
const PODS_LIMIT = 1000;
const podsSchema = z.object({ items: z.array(readyPodSchema) });

export interface ServeUpdatesOptions
  extends Pick<
    UpdatesParts,
    'sys' | 'files' | 'console' | 'policy' | 'health' | 'integrity' | 'probe' | 'signal'
  > {
  readonly nodeName: string;
  /** The node's cluster; undefined when it belongs to none. */
  readonly cluster: () => Promise<ClusterView | undefined>;
}

/** serveUpdates opens updates on the real disk of this node. */
export async function serveUpdates(options: ServeUpdatesOptions): Promise<Updates> {
  const { sys, files, nodeName, cluster, signal } = options;
  const store = openUpdateStore(files);
  const client = nodeClient(sys);
  const kubernetesMinors = async () => {
    const version = parseKubernetesVersion((await cluster())?.member.version ?? '');
    return version ? [`${version.major}.${version.minor}`] : [];
  };
  return openUpdates({
    ...options,
    store,
    stager: openStager({
      ...{ sys, store: files, updates: store, kubernetesMinors, signal },
      machine: () => openNodeMachine(sys),
    }),
    bootId: (await readText(sys, '/proc/sys/kernel/random/boot_id').catch(() => undefined)) ?? '',
    kubernetesMinors,
    pods: async () => {
      const query = new URLSearchParams({
        fieldSelector: `spec.nodeName=${nodeName}`,
        limit: `${PODS_LIMIT}`,
      });
      return (await client.get(`/api/v1/pods?${query}`, podsSchema)).items;
    },
  });
}
