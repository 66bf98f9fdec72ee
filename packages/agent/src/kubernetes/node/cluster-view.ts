import { parse } from 'yaml';
import { z } from 'zod';
import type { Sys } from '../../sys/sys.ts';
import { readNodeCredentials } from '../access/credentials.ts';
import { openKubeClient } from '../access/kube-client.ts';
import { LOCAL_API } from '../paths.ts';

/** How the cluster sees a node. */
export interface NodeView {
  readonly ready: boolean;
  /** Why it is not ready, in the kubelet's words. */
  readonly reason: string;
  /** "1.37.1". */
  readonly kubeletVersion: string;
}

/** ClusterView is what plinthd asks the cluster about its own node, as the node. Errors are `kubernetes/…`. */
export interface ClusterView {
  /** undefined when the cluster does not know the node. */
  node(name: string): Promise<NodeView | undefined>;
  /** Kubernetes version of the control plane as kubeadm has it, "1.37.1". */
  version(): Promise<string>;
}

const nodeSchema = z.object({
  status: z.object({
    conditions: z
      .array(
        z.object({
          type: z.string(),
          status: z.string(),
          reason: z.string().optional(),
          message: z.string().optional(),
        }),
      )
      .default([]),
    nodeInfo: z.object({ kubeletVersion: z.string() }).optional(),
  }),
});
const kubeadmConfigMap = z.object({ data: z.object({ ClusterConfiguration: z.string() }) });
const clusterConfiguration = z.object({ kubernetesVersion: z.string() });

/** openClusterView asks through the node's own balancer, with the kubelet's certificate. */
export function openClusterView(sys: Pick<Sys, 'readFile'>): ClusterView {
  const client = openKubeClient({
    endpoint: async () => ({ ...LOCAL_API, ...(await readNodeCredentials(sys)) }),
  });
  return {
    async node(name) {
      const found = await client.find(`/api/v1/nodes/${encodeURIComponent(name)}`, nodeSchema);
      if (!found) return undefined;
      const ready = found.status.conditions.find(({ type }) => type === 'Ready');
      return {
        ready: ready?.status === 'True',
        reason: ready
          ? `${ready.reason ?? ready.status}: ${ready.message ?? ''}`.slice(0, 400)
          : 'not said yet',
        kubeletVersion: found.status.nodeInfo?.kubeletVersion.replace(/^v/, '') ?? '',
      };
    },
    async version() {
      const map = await client.get(
        '/api/v1/namespaces/kube-system/configmaps/kubeadm-config',
        kubeadmConfigMap,
      );
      const text = map.data.ClusterConfiguration;
      return clusterConfiguration
        .parse(parse(text, { maxAliasCount: 0 }))
        .kubernetesVersion.replace(/^v/, '');
    },
  };
}
