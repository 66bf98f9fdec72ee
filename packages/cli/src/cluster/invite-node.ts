import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Invitation, InviteNodeRequestSchema, NodeClient, NodeRole } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import type { CommandContext } from '../framework/context.ts';
import { useMember } from './observe-cluster.ts';

type Invite = MessageInitShape<typeof InviteNodeRequestSchema>;

export interface Invitee {
  readonly role: NodeRole;
  /** The address by which other nodes reach it, chosen among those it has. */
  addressAmong(addresses: readonly string[]): string;
}

/**
 * inviteNode lets a control plane invite a node, and the node join; it has then begun to. A cluster that wants to know the
 * node's TPM is told.
 * @param inviter context of the control plane
 * @throws cli/context-missing, attest/not-passed, attest/enrolment-refused, api/…
 */
export async function inviteNode(
  joining: NodeClient,
  inviter: string,
  { role, addressAmong }: Invitee,
  { context, timeoutMs }: { readonly context: Pick<CommandContext, 'env'>; readonly timeoutMs: number },
): Promise<void> {
  const { nodeId, nodeName, addresses } = await joining.getIdentity();
  const wanted = { nodeId, nodeName, role, nodeAddress: addressAmong(addresses) };
  const invitation = await useMember(inviter, context, timeoutMs, (control) =>
    invite(control, wanted, async () => {
      const { tpmOf } = await import('../attest/tpm-of.ts');
      return { ...wanted, tpm: await tpmOf(joining, nodeId, nodeName, context.env) };
    }),
  );
  await joining.kubernetes.join(invitation);
}

/** @param withTpm gives the request with what is known of the node's TPM, for a cluster that asks for it */
async function invite(
  control: NodeClient,
  wanted: Invite,
  withTpm: () => Promise<Invite>,
): Promise<Invitation> {
  try {
    return await control.kubernetes.invite(wanted);
  } catch (reason) {
    if (!(reason instanceof PlinthError) || reason.code !== 'attest/enrolment-needed') throw reason;
    return await control.kubernetes.invite(await withTpm());
  }
}
