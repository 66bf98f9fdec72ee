/** A member as far as the quorum is concerned. */
export interface QuorumMember {
  readonly id: string;
  readonly name: string;
  /** Learners do not vote. */
  readonly learner: boolean;
  /** Whether it answers; a member that could not be asked counts as one that does not. */
  readonly healthy: boolean;
}

/** stops: the member is away for a while (reboot, upgrade). leaves: it is removed and the quorum counted anew. */
export type LossKind = 'stops' | 'leaves';

export type LossVerdict =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** For people. */
      readonly reason: string;
      /** Whether it is the only voting member: without it there is no cluster, whatever the others do. */
      readonly lastMember: boolean;
    };

/** quorumOf is how many of so many voting members must answer. */
export function quorumOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/**
 * judgeLoss tells whether etcd keeps a quorum when a member stops or leaves. Members are as one of them sees the
 * cluster; `lost` is a member id.
 */
export function judgeLoss(members: readonly QuorumMember[], lost: string, kind: LossKind): LossVerdict {
  const member = members.find(({ id }) => id === lost);
  if (!member) return refused(`etcd has no member ${lost}`, false);
  const voters = members.filter(({ learner }) => !learner);
  const healthyNow = voters.filter(({ healthy }) => healthy).length;
  const others = voters.filter(({ id }) => id !== lost);
  const healthyThen = others.filter(({ healthy }) => healthy).length;
  if (!member.learner && others.length === 0)
    return refused(`${member.name || lost} is the only member`, true);
  // A change of membership has to be agreed on by those there are now.
  if (kind === 'leaves' && healthyNow < quorumOf(voters.length))
    return refused(
      `${healthyNow} of ${voters.length} members are healthy, expected ${quorumOf(voters.length)} to agree on a change`,
      false,
    );
  if (member.learner) return { ok: true };
  const needed = quorumOf(kind === 'leaves' ? others.length : voters.length);
  if (healthyThen < needed)
    return refused(
      `without ${member.name || lost} ${healthyThen} healthy members stay, expected at least ${needed}`,
      false,
    );
  return { ok: true };
}

function refused(reason: string, lastMember: boolean): LossVerdict {
  return { ok: false, reason, lastMember };
}
