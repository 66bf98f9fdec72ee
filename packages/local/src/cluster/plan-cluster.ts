import type { ClusterMember } from './cluster-network.ts';

/** What a node says about its own act; the words of @plinth/api. */
export interface ObservedAct {
  readonly kind: 'bootstrap' | 'join' | 'upgrade' | 'leave' | 'unknown';
  readonly state: 'running' | 'done' | 'failed' | 'reverted' | 'unknown';
}

/** What was seen of a member just now. */
export interface ObservedMember {
  readonly name: string;
  readonly machine: 'absent' | 'stopped' | 'paused' | 'running';
  /** Absent: the node does not answer. */
  readonly node?: {
    readonly membership: 'none' | 'pending' | 'member' | 'unknown';
    readonly act?: ObservedAct;
  };
}

/** One thing to do next. */
export type ClusterStep =
  | { readonly kind: 'start'; readonly name: string }
  | { readonly kind: 'resume'; readonly name: string }
  /** The machine runs and its API does not answer yet. */
  | { readonly kind: 'reach'; readonly name: string }
  /** The node is at an act of its own. */
  | { readonly kind: 'await-act'; readonly name: string; readonly act: ObservedAct['kind'] }
  | { readonly kind: 'bootstrap'; readonly name: string }
  | { readonly kind: 'join'; readonly name: string; readonly inviter: string }
  /** Nothing that this planner knows helps. */
  | { readonly kind: 'stuck'; readonly name: string; readonly reason: string };

type Roles = Pick<ClusterMember, 'name' | 'role'>;

/**
 * planCluster tells what to do next so that every member becomes a member; pure. All steps it gives may be done at the
 * same time, and then it is asked again with what is seen then; no steps: the cluster is whole.
 *
 * It bootstraps once and only where nobody is a member, and adds control planes one after the other, because etcd
 * must settle between two of them. Workers follow together.
 */
export function planCluster(
  members: readonly Roles[],
  observed: readonly ObservedMember[],
): readonly ClusterStep[] {
  const seen = new Map(observed.map((each) => [each.name, each]));
  const power = members.flatMap(({ name }) => powerStep(name, seen.get(name)?.machine ?? 'absent'));
  if (power.length > 0) return power;
  const silent = members.filter(({ name }) => seen.get(name)?.node === undefined);
  if (silent.length > 0) return silent.map(({ name }) => ({ kind: 'reach', name }));

  const nodeOf = ({ name }: Roles) => seen.get(name)?.node ?? { membership: 'unknown' as const };
  const busy = members.flatMap((member) => waitStep(member.name, nodeOf(member)));
  if (busy.length > 0) return busy;

  const isMember = (member: Roles) => nodeOf(member).membership === 'member';
  const controlPlanes = members.filter(({ role }) => role === 'control-plane');
  const inviter = controlPlanes.find(isMember);
  if (!inviter) return foundation(members, controlPlanes, isMember, nodeOf);
  const nextControlPlane = controlPlanes.find((member) => !isMember(member));
  const joining = nextControlPlane
    ? [nextControlPlane]
    : members.filter((member) => member.role === 'worker' && !isMember(member));
  return joining.map(({ name }) => ({ kind: 'join', name, inviter: inviter.name }));
}

function powerStep(name: string, machine: ObservedMember['machine']): ClusterStep[] {
  if (machine === 'running') return [];
  return [{ kind: machine === 'paused' ? 'resume' : 'start', name }];
}

/** What a node is at by itself is waited for; what this client does not understand is not touched. */
function waitStep(name: string, { membership, act }: NonNullable<ObservedMember['node']>): ClusterStep[] {
  if (act?.state === 'running') return [{ kind: 'await-act', name, act: act.kind }];
  if (membership === 'unknown' || act?.state === 'unknown') {
    return [{ kind: 'stuck', name, reason: 'it is newer than this client, which does not know its state' }];
  }
  return [];
}

function foundation(
  members: readonly Roles[],
  controlPlanes: readonly Roles[],
  isMember: (member: Roles) => boolean,
  nodeOf: (member: Roles) => NonNullable<ObservedMember['node']>,
): ClusterStep[] {
  const orphan = members.find(isMember);
  if (orphan) {
    const reason = 'it belongs to a cluster of which no control plane is left';
    return [{ kind: 'stuck', name: orphan.name, reason }];
  }
  // Whoever began to found the cluster goes on; two founders would make two clusters.
  const began = controlPlanes.find((member) => {
    const { membership, act } = nodeOf(member);
    return membership === 'pending' && act?.kind === 'bootstrap';
  });
  const founder = began ?? controlPlanes[0];
  return founder ? [{ kind: 'bootstrap', name: founder.name }] : [];
}
