import { PlinthError } from '@plinth/base';
import type { ActRecord } from './acts/act.ts';
import { type NodeRole, parseIpv4 } from './cluster-spec.ts';
import type { Member } from './node/member.ts';

/** What decides whether an act may begin. */
export interface NodeFacts {
  readonly member: Member | undefined;
  readonly act: ActRecord | undefined;
  /** Why stored state would be lost; undefined when it is kept. */
  readonly volatileBecause: string | undefined;
}

/** requireKept refuses every change on a node that would forget it. @throws kubernetes/state-lost */
export function requireKept({ volatileBecause }: Pick<NodeFacts, 'volatileBecause'>): void {
  if (volatileBecause === undefined) return;
  throw new PlinthError(
    'kubernetes/state-lost',
    `Cannot change Kubernetes on this node: ${volatileBecause}, expected /var on a disk`,
  );
}

/** requireFree lets a node found (never a member) or join (no member now) a cluster. @throws kubernetes/already-member, kubernetes/was-member */
export function requireFree({ member }: Pick<NodeFacts, 'member'>, act: 'bootstrap' | 'join'): void {
  if (member?.state === 'member')
    throw new PlinthError(
      'kubernetes/already-member',
      `Cannot ${act}: the node belongs to the cluster ${member.cluster.name}, expected it to belong to none`,
    );
  if (member && act === 'bootstrap')
    throw new PlinthError(
      'kubernetes/was-member',
      `Cannot bootstrap: the node belonged to the cluster ${member.cluster.name}, expected one that never was a member`,
    );
}

/** requireMember gives the membership. @throws kubernetes/not-member */
export function requireMember({ member }: Pick<NodeFacts, 'member'>): Member {
  if (member?.state === 'member') return member;
  throw new PlinthError(
    'kubernetes/not-member',
    'Cannot do this: the node belongs to no cluster, expected a member',
  );
}

/** requireControlPlane gives the membership of a control plane. @throws kubernetes/not-member, kubernetes/not-control-plane */
export function requireControlPlane(facts: Pick<NodeFacts, 'member'>): Member {
  const member = requireMember(facts);
  if (member.role === 'control-plane') return member;
  throw new PlinthError(
    'kubernetes/not-control-plane',
    'Cannot do this: the node is a worker, expected a control plane',
  );
}

/**
 * chooseAddress gives the address other nodes reach this one by.
 * @throws kubernetes/address-unknown
 */
export function chooseAddress(wanted: string, addresses: readonly string[]): string {
  const own = addresses.filter((address) => parseIpv4(address) !== undefined);
  const have = own.join(', ') || 'none';
  if (wanted !== '') {
    if (own.includes(wanted)) return wanted;
    throw new PlinthError(
      'kubernetes/address-unknown',
      `Cannot use the address ${JSON.stringify(wanted.slice(0, 64))}: the node has ${have}, expected one of them`,
    );
  }
  const [only] = own;
  if (only !== undefined && own.length === 1) return only;
  throw new PlinthError(
    'kubernetes/address-unknown',
    `Cannot tell the node's address: it has ${have}, expected the one to use to be named`,
  );
}

/** What an invitation says about who may use it. */
export interface InvitedAs {
  readonly nodeId: string;
  readonly nodeName: string;
  readonly nodeAddress: string;
  readonly role: NodeRole | undefined;
  readonly expiresAtMs: number;
  readonly apiServers: readonly string[];
  readonly token: string;
  readonly caKeyHash: string;
  readonly certificateKey: string;
}

/**
 * checkInvitation makes sure that this very node is invited, now, and that nothing is missing.
 * @throws kubernetes/invitation-refused, kubernetes/invitation-expired
 */
export function checkInvitation(
  invitation: InvitedAs,
  self: { readonly nodeId: string; readonly nodeName: string; readonly addresses: readonly string[] },
  nowMs: number,
): NodeRole {
  const { role } = invitation;
  const refuse = (state: string) =>
    new PlinthError('kubernetes/invitation-refused', `Cannot use the invitation: ${state}`);
  if (invitation.nodeId !== self.nodeId)
    throw refuse(`it is for the node id ${quote(invitation.nodeId)}, expected ${self.nodeId}`);
  if (invitation.nodeName !== self.nodeName)
    throw refuse(`it is for the name ${quote(invitation.nodeName)}, expected ${self.nodeName}`);
  if (!self.addresses.includes(invitation.nodeAddress))
    throw refuse(
      `it is for the address ${quote(invitation.nodeAddress)}, expected one of ${self.addresses.join(', ') || 'none'}`,
    );
  if (role === undefined) throw refuse('it names no role, expected control plane or worker');
  if (!/^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(invitation.token))
    throw refuse('it has no bootstrap token, expected one');
  if (!/^sha256:[0-9a-f]{64}$/.test(invitation.caKeyHash))
    throw refuse("it has no hash of the cluster's authority, expected sha256:…");
  if (invitation.apiServers.length === 0) throw refuse('it names no API server, expected at least one');
  if (role === 'control-plane' && !/^[0-9a-f]{64}$/.test(invitation.certificateKey))
    throw refuse('it has no key to the certificates, expected one for a control plane');
  if (nowMs > invitation.expiresAtMs)
    throw new PlinthError(
      'kubernetes/invitation-expired',
      `Cannot use the invitation: it ended at ${new Date(invitation.expiresAtMs).toISOString()} and this node's clock says ${new Date(nowMs).toISOString()}`,
    );
  return role;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
