import { z } from 'zod';
import type { ApiServerFacts, NodeObject, StaticPod } from '../../health/kubernetes-observer.ts';
import { isRefusal, type KubeClient } from '../access/kube-client.ts';

const condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().default(''),
  message: z.string().default(''),
});
const nodeSchema = z.object({
  status: z.object({
    conditions: z.array(condition).default([]),
    nodeInfo: z.object({ kubeletVersion: z.string() }).optional(),
  }),
});
const versionSchema = z.object({ gitVersion: z.string() });
const state = z
  .object({
    waiting: z.object({ reason: z.string().default('') }).optional(),
    terminated: z.object({ reason: z.string().default('') }).optional(),
  })
  .default({});
const podsSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), annotations: z.record(z.string(), z.string()).default({}) }),
      status: z.object({
        phase: z.string().default(''),
        conditions: z.array(condition).default([]),
        containerStatuses: z.array(z.object({ restartCount: z.number().default(0), state })).default([]),
      }),
    }),
  ),
});

/** What the kubelet marks a static pod's copy in the cluster with. */
const MIRROR = 'kubernetes.io/config.mirror';

/** readNode gives this node as the cluster sees it. Errors: see KubeClient; Error when the cluster does not know it. */
export async function readNode(client: KubeClient, name: string): Promise<NodeObject> {
  const found = await client.find(`/api/v1/nodes/${encodeURIComponent(name)}`, nodeSchema);
  if (!found) throw new Error(`the cluster knows no node ${name}`);
  const { conditions, nodeInfo } = found.status;
  return { conditions, kubeletVersion: nodeInfo?.kubeletVersion ?? '' };
}

/** readApiServer gives version and readiness of an API server. Errors: see KubeClient. */
export async function readApiServer(client: KubeClient): Promise<ApiServerFacts> {
  const [{ gitVersion }, ready] = await Promise.all([client.get('/version', versionSchema), isReady(client)]);
  return { version: gitVersion, ready };
}

async function isReady(client: KubeClient): Promise<boolean> {
  try {
    // The answer is the word "ok", which is no JSON; what counts is its status.
    await client.find('/readyz', z.unknown());
    return true;
  } catch (reason) {
    if (isRefusal(reason, 500)) return false;
    throw reason;
  }
}

/** readStaticPods gives the control plane's parts on a node, by their mirror pods. Errors: see KubeClient. */
export async function readStaticPods(client: KubeClient, nodeName: string): Promise<readonly StaticPod[]> {
  const query = new URLSearchParams({
    // A node may list pods only so.
    fieldSelector: `spec.nodeName=${nodeName}`,
    labelSelector: 'tier=control-plane',
    limit: '100',
  });
  const { items } = await client.get(`/api/v1/namespaces/kube-system/pods?${query}`, podsSchema);
  return items
    .filter(({ metadata }) => Object.hasOwn(metadata.annotations, MIRROR))
    .map(({ metadata, status }) => {
      const [container] = status.containerStatuses;
      const ready = status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True');
      const why = container?.state.waiting?.reason || container?.state.terminated?.reason || status.phase;
      return {
        name: metadata.name.endsWith(`-${nodeName}`)
          ? metadata.name.slice(0, -nodeName.length - 1)
          : metadata.name,
        ready,
        restarts: container?.restartCount ?? 0,
        reason: ready ? '' : why,
      };
    });
}
