import { compareUapiVersions } from '@plinth/base';
import type { FleetView } from '../../view/view.ts';
import { orderHash } from '../count.ts';
import type { Member } from '../rollout/pool.ts';
import { leaderRank } from './control-plane.ts';

/** What is known beside the nodes themselves when they are put in order. */
export interface Ordering {
  /** Name of the rollout: each rollout takes the domains in another order. */
  readonly rollout: string;
  readonly domainsInFlight: ReadonlySet<string>;
}

/**
 * orderOf puts candidates into the order in which they get slots: etcd's leader and the operator's own node last; domains
 * that are under way first; nodes that failed before after all others; one domain after the other, by hash; in a domain
 * nodes that are down or empty, then the oldest release, then by hash. Nodes with few held pods go first among those
 * whose pods were looked at (admit.ts).
 */
export function orderOf(candidates: readonly Member[], view: FleetView, ordering: Ordering): Member[] {
  const versions = [...new Set(candidates.map(({ report }) => report?.osVersion ?? ''))];
  const age = new Map(versions.sort(compareUapiVersions).map((version, index) => [version, index]));
  const keyed = candidates.map((member) => ({
    member,
    keys: [
      leaderRank(view.etcd, member.node.name),
      member.node.name === view.leaderNode ? 1 : 0,
      ordering.domainsInFlight.has(member.domain) ? 0 : 1,
      (member.progress?.attempts ?? 0) > 0 ? 1 : 0,
      orderHash(`${ordering.rollout}/${member.domain}`),
      member.isDown || member.node.requested?.pods === 0 ? 0 : 1,
      age.get(member.report?.osVersion ?? '') ?? 0,
      member.hash,
    ],
  }));
  keyed.sort((a, b) => {
    for (const [index, key] of a.keys.entries()) {
      const difference = key - (b.keys[index] ?? 0);
      if (difference !== 0) return difference;
    }
    return a.member.node.uid < b.member.node.uid ? -1 : 1;
  });
  return keyed.map(({ member }) => member);
}
