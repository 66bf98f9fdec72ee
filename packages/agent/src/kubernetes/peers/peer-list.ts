import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import type { Peer } from '../../tunnel/peers.ts';
import { isRefusal, type KubeClient } from '../access/kube-client.ts';
import type { NodeRecord } from '../access/node-records.ts';

/**
 * The members of the cluster in one object that every node may read (access.yaml names it), and nothing more: a node may
 * read neither the records nor other Nodes. Control planes write it.
 */
const NAME = 'plinth-peers';
const CONFIG_MAPS = '/api/v1/namespaces/kube-system/configmaps';
const PATH = `${CONFIG_MAPS}/${NAME}`;
/** An object of the API server holds 1 MiB at most. */
const TEXT_LIMIT_CHARS = 900_000;
const PEERS_LIMIT = 5000;
const LABELS_LIMIT = 32;

const peersSchema = z
  .array(
    z.object({
      name: z.string().max(253),
      nodeId: z.string().max(128),
      address: z.string().max(64),
      role: z.enum(['control-plane', 'worker']),
      labels: z.record(z.string().max(317), z.string().max(63)).default({}),
    }),
  )
  .max(PEERS_LIMIT);
const configMapSchema = z.object({ data: z.object({ peers: z.string().max(TEXT_LIMIT_CHARS) }) });

const nodesSchema = z.object({
  metadata: z.object({ continue: z.string().default('') }).default({ continue: '' }),
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()).default({}) }),
    }),
  ),
});
/** A Node of a busy machine has some 20 KB; plinthd reads them in pieces. */
const NODES_AT_ONCE = 100;

/** Labels of nodes by the node's name. */
export type NodeLabels = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** readNodeLabels gives the labels of every Node. Errors: see KubeClient. */
export async function readNodeLabels(client: KubeClient): Promise<NodeLabels> {
  const found = new Map<string, Readonly<Record<string, string>>>();
  let next = '';
  do {
    const query = new URLSearchParams({ limit: String(NODES_AT_ONCE), ...(next && { continue: next }) });
    const { items, metadata } = await client.get(`/api/v1/nodes?${query}`, nodesSchema);
    for (const { metadata: node } of items) found.set(node.name, node.labels);
    next = metadata.continue;
  } while (next !== '' && found.size < PEERS_LIMIT);
  return found;
}

/** peerListText is the list as it is published: by name, so that the same members are the same text. */
export function peerListText(records: readonly NodeRecord[], labels: NodeLabels): string {
  const peers = records
    .toSorted((a, b) => (a.nodeName < b.nodeName ? -1 : 1))
    .map(({ nodeName, nodeId, nodeAddress, role }): Peer => {
      const own = Object.entries(labels.get(nodeName) ?? {})
        .sort()
        .slice(0, LABELS_LIMIT);
      return { name: nodeName, nodeId, address: nodeAddress, role, labels: Object.fromEntries(own) };
    });
  const text = JSON.stringify(peers);
  // Without labels nobody can be selected by them, but everybody is still reached.
  return text.length <= TEXT_LIMIT_CHARS
    ? text
    : JSON.stringify(peers.map((peer) => ({ ...peer, labels: {} })));
}

/** parsePeers reads what peerListText wrote. @throws kubernetes/api-answer-invalid */
export function parsePeers(text: string): readonly Peer[] {
  try {
    return peersSchema.parse(JSON.parse(text));
  } catch {
    throw new PlinthError(
      'kubernetes/api-answer-invalid',
      `Cannot read ConfigMap ${NAME}: it is not a list of peers, expected what control planes write`,
    );
  }
}

/** readPeers gives the published list; none when there is none yet. Errors: see KubeClient, parsePeers. */
export async function readPeers(client: KubeClient): Promise<readonly Peer[]> {
  const found = await client.find(PATH, configMapSchema);
  return found ? parsePeers(found.data.peers) : [];
}

/** publishPeers writes the list where it differs from what stands there. Errors: see KubeClient. */
export async function publishPeers(client: KubeClient, text: string): Promise<void> {
  const found = await client.find(PATH, z.object({ data: z.record(z.string(), z.string()).default({}) }));
  if (found?.data['peers'] === text) return;
  if (found) {
    await client.patch(PATH, { data: { peers: text } });
    return;
  }
  try {
    await client.create(CONFIG_MAPS, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: NAME, namespace: 'kube-system' },
      data: { peers: text },
    });
  } catch (reason) {
    if (!isRefusal(reason, 409)) throw reason; // another control plane was first; the next round settles it
  }
}
