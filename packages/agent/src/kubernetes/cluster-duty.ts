import { PlinthError } from '@plinth/base';
import type { EtcdOperations } from '../etcd/etcd-operations.ts';
import { guardLoss } from '../etcd/guard-loss.ts';
import type { LossKind, LossVerdict } from '../etcd/judge-loss.ts';
import type { Member } from './node/member.ts';
import type { Kubernetes } from './open-kubernetes.ts';

/** What an act on the machine has to know of the node's cluster. */
export interface ClusterDuty {
  /** The act on Kubernetes that runs, for people; undefined when there is none. */
  runningAct(): string | undefined;
  /** What the node is in which cluster; undefined when in none. @throws kubernetes/state-unreadable */
  member(): Promise<(Pick<Member, 'role'> & { readonly cluster: string }) | undefined>;
  /** @throws etcd/… when etcd cannot be asked */
  judgeOwnLoss(kind: LossKind): Promise<LossVerdict>;
}

/** clusterDuty asks the node's own record and its etcd. */
export function clusterDuty(
  { acts, facts }: Pick<Kubernetes, 'acts' | 'facts'>,
  { judgeOwnLoss }: Pick<EtcdOperations, 'judgeOwnLoss'>,
): ClusterDuty {
  return {
    runningAct() {
      const act = acts.current();
      return act?.state === 'running' ? `${act.kind} of Kubernetes` : undefined;
    },
    async member() {
      const { member } = await facts();
      return member?.state === 'member' ? { role: member.role, cluster: member.cluster.name } : undefined;
    },
    judgeOwnLoss,
  };
}

/** unknownDuty is that of a node whose record cannot be read: nobody knows what its end would mean. */
export function unknownDuty(reason: PlinthError): ClusterDuty {
  const unknown = async () => {
    throw reason;
  };
  return { runningAct: () => undefined, member: unknown, judgeOwnLoss: unknown };
}

/** mayLeave: a worker may always leave; a control plane when etcd goes on without it. @throws kubernetes/leave-refused */
export async function mayLeave(
  { facts, parts: { nodeName } }: Pick<Kubernetes, 'facts' | 'parts'>,
  { judgeOwnLoss }: Pick<EtcdOperations, 'judgeOwnLoss'>,
  override: string,
): Promise<void> {
  const { member } = await facts();
  await guardLoss(
    { role: member?.role, kind: 'leaves', nodeName, override, judge: judgeOwnLoss },
    (reason) =>
      new PlinthError('kubernetes/leave-refused', `Cannot leave: ${reason}, expected etcd to go on`),
  );
}
