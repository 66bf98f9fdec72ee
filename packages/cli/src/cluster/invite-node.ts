import type { NodeClient, NodeRole } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import { useMember } from './observe-cluster.ts';

export interface Invitee {
  readonly role: NodeRole;
  /** The address by which other nodes reach it, chosen among those it has. */
  addressAmong(addresses: readonly string[]): string;
}

/**
 * inviteNode lets a control plane invite a node, and the node join; it has then begun to.
 * @param inviter context of the control plane
 * @throws cli/context-missing, api/…
 */
export async function inviteNode(
  joining: NodeClient,
  inviter: string,
  { role, addressAmong }: Invitee,
  { context, timeoutMs }: { readonly context: Pick<CommandContext, 'env'>; readonly timeoutMs: number },
): Promise<void> {
  const { nodeId, nodeName, addresses } = await joining.getIdentity();
  const nodeAddress = addressAmong(addresses);
  const invitation = await useMember(inviter, context, timeoutMs, (control) =>
    control.kubernetes.invite({ nodeId, nodeName, role, nodeAddress }),
  );
  await joining.kubernetes.join(invitation);
}
