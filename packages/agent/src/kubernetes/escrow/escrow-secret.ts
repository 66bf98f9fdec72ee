import type { KubeClient } from '../access/kube-client.ts';

// The recovery key of a node's /var in the cluster: a Secret for each node, stored under the key that all Secrets are.

const NAMESPACE = 'kube-system';
export const SECRETS = `/api/v1/namespaces/${NAMESPACE}/secrets`;

/** escrowName is the Secret of a node, and the Role and RoleBinding by which the node may write into it. */
export function escrowName(nodeName: string): string {
  return `plinth-var-key-${nodeName}`;
}

/**
 * bringKey writes a recovery key into the Secret of its node, beside those of volumes that the node had before: a disk that was taken
 * out can still be opened. Control planes make the Secret; until then this is refused. Errors: see KubeClient.
 * @param client asks as the node
 * @returns the Secret, as namespace/name
 */
export async function bringKey(
  client: Pick<KubeClient, 'patch'>,
  nodeName: string,
  { volumeId, recoveryKey }: { readonly volumeId: string; readonly recoveryKey: string },
): Promise<string> {
  const name = escrowName(nodeName);
  await client.patch(`${SECRETS}/${name}`, {
    data: { [volumeId]: Buffer.from(recoveryKey).toString('base64') },
  });
  return `${NAMESPACE}/${name}`;
}
