import { momentMs } from '../../objects/index.ts';
import type { EtcdView, FleetView } from '../../view/view.ts';

/**
 * Why a control plane may not be taken out of service just now; undefined: it may (S3). Without it a majority of all voters
 * has to be healthy; with a learner, an alarm or no leader nobody is touched. That only one goes at a time is their ledger's.
 */
export function quorumProblem(
  etcd: EtcdView | undefined,
  nodeName: string,
  allowSingleNode: boolean,
): string | undefined {
  if (etcd === undefined) return 'nobody could tell how etcd is';
  if (etcd.hasAlarm) return 'etcd has an alarm';
  if (etcd.members.some(({ isLearner }) => isLearner)) return 'etcd has a learner: a member is joining';
  if (!etcd.members.some(({ isLeader }) => isLeader)) return 'etcd has no leader';
  const voters = etcd.members.length;
  const isVoter = etcd.members.some(({ node }) => node === nodeName);
  const healthyWithout = etcd.members.filter(({ node, isHealthy }) => isHealthy && node !== nodeName).length;
  if (!isVoter) return `${nodeName} is no member of etcd`;
  if (voters === 1 && allowSingleNode) return undefined;
  const majority = Math.floor(voters / 2) + 1;
  if (healthyWithout < majority)
    return `without ${nodeName} ${healthyWithout} of etcd's ${voters} voters would be healthy, ${majority} have to be`;
  return undefined;
}

/** What etcd said longer ago than this is not known any more. */
const ETCD_KNOWN_MS = 60_000;

/**
 * Why what is known of etcd is too old to go by; undefined: it is not. What was said before the last control plane came back
 * may be of the time before it went.
 */
export function staleProblem({ etcd, nowMs, nodeUpdates, policies }: FleetView): string | undefined {
  if (etcd?.askedAtMs === undefined) return undefined;
  if (nowMs - etcd.askedAtMs > ETCD_KNOWN_MS) return 'etcd was asked too long ago';
  for (const { name, spec, status } of nodeUpdates.values())
    if (
      policies.get(spec.policy)?.spec.role === 'ControlPlane' &&
      momentMs(status?.progress?.since ?? '') > etcd.askedAtMs
    )
      return `etcd was not asked since ${name} got into ${status?.progress?.phase}`;
  return undefined;
}

/** Leadership of etcd moves as seldom as can be: 0 for a follower, 1 for the leader. */
export function leaderRank(etcd: EtcdView | undefined, nodeName: string): number {
  return etcd?.members.some(({ node, isLeader }) => isLeader && node === nodeName) ? 1 : 0;
}
