import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import type { InvitedNode } from './cluster-access.ts';
import { isRefusal, type KubeClient } from './kube-client.ts';

/**
 * What the cluster knows of a member, kept as a ConfigMap of its own: a kubelet may write to its Node, so nothing that
 * is held against a node may stand there.
 */
export type NodeRecord = InvitedNode;

const CONFIG_MAPS = '/api/v1/namespaces/kube-system/configmaps';
const LABEL = 'plinth.dev/node-record';

const recordSchema = z.object({
  data: z
    .object({
      nodeId: z.string(),
      nodeName: z.string(),
      nodeAddress: z.string(),
      role: z.enum(['control-plane', 'worker']),
    })
    .transform((data): NodeRecord => data),
});
const listSchema = z.object({ items: z.array(recordSchema) });

/** listNodeRecords gives every known member. Errors: see KubeClient. */
export async function listNodeRecords(client: KubeClient): Promise<readonly NodeRecord[]> {
  const { items } = await client.get(`${CONFIG_MAPS}?labelSelector=${LABEL}&limit=5000`, listSchema);
  return items.map(({ data }) => data);
}

/** keepNodeRecord makes or renews what is known of a member. Errors: see KubeClient. */
export async function keepNodeRecord(client: KubeClient, record: NodeRecord): Promise<void> {
  const data = { ...record };
  const name = recordName(record.nodeName);
  try {
    await client.create(CONFIG_MAPS, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'kube-system', labels: { [LABEL]: 'member' } },
      data,
    });
  } catch (reason) {
    if (!isRefusal(reason, 409)) throw reason;
    await client.patch(`${CONFIG_MAPS}/${name}`, { data });
  }
}

/**
 * forgetNode ends a membership: the node is gone from the cluster, its name is free again, and no certificate of it is
 * renewed. The record goes first: without it a kubelet that still runs cannot come back. Errors: see KubeClient.
 */
export async function forgetNode(client: KubeClient, nodeName: string): Promise<void> {
  await client.remove(`${CONFIG_MAPS}/${recordName(nodeName)}`);
  await client.remove(`/api/v1/nodes/${nodeName}`);
}

/**
 * findConflict says why a node cannot be a member beside the known ones, undefined when it can. The same machine may
 * come again under its name.
 */
export function findConflict(node: InvitedNode, records: readonly NodeRecord[]): string | undefined {
  for (const { nodeId, nodeName } of records) {
    if (nodeName === node.nodeName && nodeId !== node.nodeId)
      return `node ${nodeName} is another machine (${nodeId})`;
    if (nodeId === node.nodeId && nodeName !== node.nodeName)
      return `the machine ${nodeId} is already node ${nodeName}`;
  }
  return undefined;
}

/** @throws kubernetes/name-taken */
export function requireFree(node: InvitedNode, records: readonly NodeRecord[]): void {
  const conflict = findConflict(node, records);
  if (conflict === undefined) return;
  throw new PlinthError(
    'kubernetes/name-taken',
    `Cannot invite node ${node.nodeName}: ${conflict}, expected a name and an identity that are free`,
  );
}

function recordName(nodeName: string): string {
  return `plinth-node-${nodeName}`;
}
