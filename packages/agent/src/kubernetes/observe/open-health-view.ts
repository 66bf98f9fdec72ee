import type { EtcdOperations } from '../../etcd/etcd-operations.ts';
import type { ClusterView } from '../../health/collect-health.ts';
import type { StateStore } from '../../sys/state-store.ts';
import type { Sys } from '../../sys/sys.ts';
import { readNodeCredentials } from '../access/credentials.ts';
import { openKubeClient } from '../access/kube-client.ts';
import { readServers } from '../balance/server-list.ts';
import { dnsAddressOf } from '../cluster-spec.ts';
import { API_SERVER_PORT, LOCAL_API } from '../paths.ts';
import type { NodeFacts } from '../preconditions.ts';
import { openObserver, QUESTION_LIMIT_MS } from './open-observer.ts';

export interface HealthViewParts {
  readonly sys: Sys;
  readonly store: StateStore;
  readonly nodeName: string;
}

/**
 * openHealthView gives health's view of the cluster, by what is stored about the membership at each look: undefined as
 * long as the node is no member. Nothing is sent before the view is asked. It never rejects.
 */
export function openHealthView(
  { sys, store, nodeName }: HealthViewParts,
  facts: () => Promise<Pick<NodeFacts, 'member'>>,
  etcd: Pick<EtcdOperations, 'observe'>,
): () => Promise<ClusterView | undefined> {
  const client = openKubeClient({
    endpoint: async () => ({ ...LOCAL_API, ...(await readNodeCredentials(sys)) }),
    timeoutMs: QUESTION_LIMIT_MS * 2,
  });
  return async () => {
    // A membership that cannot be read is what the check "membership" is about.
    const { member } = await facts().catch(() => ({ member: undefined }));
    if (member?.state !== 'member') return undefined;
    const { role, version, nodeAddress, cluster } = member;
    const otherServers = async () => {
      const kept = await readServers(store);
      const servers = kept.length > 0 ? kept : member.apiServers;
      return servers.filter((server) => server !== `${nodeAddress}:${API_SERVER_PORT}`);
    };
    return {
      member: {
        ...{ role, version, nodeAddress },
        dnsAddress: dnsAddressOf(cluster),
        dnsDomain: cluster.dnsDomain,
      },
      kubernetes: openObserver({
        ...{ sys, nodeName, client, otherServers },
        observeEtcd: () => etcd.observe(QUESTION_LIMIT_MS),
      }),
    };
  };
}
