import { randomInt } from 'node:crypto';
import { z } from 'zod';
import type { InvitedNode } from './cluster-access.ts';
import type { KubeClient } from './kube-client.ts';

/** A join token as the cluster keeps it; its secret half is not read back. */
export interface JoinToken {
  readonly id: string;
  readonly node: InvitedNode;
  readonly expiresAtMs: number;
  /** SHA-256 of the public key it was used for, hexadecimal; undefined before. */
  readonly usedByKey: string | undefined;
  /** When that certificate was approved. */
  readonly usedAtMs: number | undefined;
  readonly resourceVersion: string;
}

/** Longest time a token is good for. */
export const JOIN_TOKEN_LIMIT_MS = 15 * 60_000;

/**
 * Groups of our own: kubeadm's RBAC lets the controller manager approve every certificate request of its default group
 * without a look at who asks. What ours may do stands in access.yaml of the layer.
 */
export const JOIN_GROUPS = {
  worker: 'system:bootstrappers:plinth:worker',
  'control-plane': 'system:bootstrappers:plinth:worker,system:bootstrappers:plinth:control-plane',
} as const;

const SECRETS = '/api/v1/namespaces/kube-system/secrets';
const LABEL = 'plinth.dev/join-token';
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

const secretSchema = z
  .object({
    metadata: z.object({
      name: z.string().regex(/^bootstrap-token-[a-z0-9]{6}$/),
      resourceVersion: z.string(),
      annotations: z.object({
        'plinth.dev/node-id': z.string(),
        'plinth.dev/node-name': z.string(),
        'plinth.dev/node-address': z.string(),
        'plinth.dev/node-role': z.enum(['control-plane', 'worker']),
        'plinth.dev/used-by-key': z.string().optional(),
        'plinth.dev/used-at': z.string().optional(),
      }),
    }),
    data: z.object({ expiration: z.base64() }),
  })
  .transform(({ metadata, data }): JoinToken => {
    const { annotations } = metadata;
    const usedAt = annotations['plinth.dev/used-at'];
    return {
      id: metadata.name.slice('bootstrap-token-'.length),
      node: {
        nodeId: annotations['plinth.dev/node-id'],
        nodeName: annotations['plinth.dev/node-name'],
        nodeAddress: annotations['plinth.dev/node-address'],
        role: annotations['plinth.dev/node-role'],
      },
      expiresAtMs: Date.parse(Buffer.from(data.expiration, 'base64').toString('latin1')),
      usedByKey: annotations['plinth.dev/used-by-key'],
      usedAtMs: usedAt === undefined ? undefined : Date.parse(usedAt),
      resourceVersion: metadata.resourceVersion,
    };
  });
const listSchema = z.object({ items: z.array(secretSchema) });

/** listJoinTokens gives the tokens that Plinth made; others are none of its business. Errors: see KubeClient. */
export async function listJoinTokens(client: KubeClient): Promise<readonly JoinToken[]> {
  return (await client.get(`${SECRETS}?labelSelector=${LABEL}&limit=5000`, listSchema)).items;
}

/**
 * createJoinToken makes a bootstrap token for one node and ends the ones it had. `ttlMs` is cut at 15 minutes.
 * Errors: see KubeClient.
 */
export async function createJoinToken(
  client: KubeClient,
  node: InvitedNode,
  { ttlMs, nowMs }: { readonly ttlMs: number; readonly nowMs: number },
): Promise<{ readonly token: string; readonly expiresAtMs: number }> {
  for (const old of await listJoinTokens(client)) {
    if (old.node.nodeId === node.nodeId || old.node.nodeName === node.nodeName)
      await removeJoinToken(client, old.id);
  }
  const [id, secret] = [randomText(6), randomText(16)];
  // Whole seconds, as the expiration is written.
  const expiresAtMs = Math.floor((nowMs + Math.min(ttlMs, JOIN_TOKEN_LIMIT_MS)) / 1000) * 1000;
  await client.create(SECRETS, {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'bootstrap.kubernetes.io/token',
    metadata: {
      name: `bootstrap-token-${id}`,
      namespace: 'kube-system',
      labels: { [LABEL]: node.role },
      annotations: {
        'plinth.dev/node-id': node.nodeId,
        'plinth.dev/node-name': node.nodeName,
        'plinth.dev/node-address': node.nodeAddress,
        'plinth.dev/node-role': node.role,
      },
    },
    stringData: {
      'token-id': id,
      'token-secret': secret,
      expiration: new Date(expiresAtMs).toISOString().replace('.000Z', 'Z'),
      'usage-bootstrap-authentication': 'true',
      'usage-bootstrap-signing': 'true',
      'auth-extra-groups': JOIN_GROUPS[node.role],
      description: `Plinth: invitation of node ${node.nodeName}`,
    },
  });
  return { token: `${id}.${secret}`, expiresAtMs };
}

/**
 * markJoinToken binds a token to the first key a certificate is approved for. Refused with status 409 when the token
 * changed since it was read, so that of two control planes only one gives it away.
 */
export async function markJoinToken(
  client: KubeClient,
  token: JoinToken,
  keyDigest: string,
  nowMs: number,
): Promise<void> {
  await client.patch(`${SECRETS}/bootstrap-token-${token.id}`, {
    metadata: {
      resourceVersion: token.resourceVersion,
      annotations: {
        'plinth.dev/used-by-key': keyDigest,
        'plinth.dev/used-at': new Date(nowMs).toISOString(),
      },
    },
  });
}

/** removeJoinToken ends a token; fine when there is none. */
export async function removeJoinToken(client: KubeClient, id: string): Promise<void> {
  await client.remove(`${SECRETS}/bootstrap-token-${id}`);
}

function randomText(length: number): string {
  return Array.from({ length }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
}
