import { momentOf, type Reason, type RolloutStatus } from '../../objects/index.ts';
import { actOf } from '../node/acting.ts';
import { deniedReason } from '../node/target.ts';
import type { Look } from './look.ts';
import type { Member } from './pool.ts';

/** Most nodes that a status names. */
const BLOCKER_LIMIT = 20;

/** Why a node is not brought to the release; undefined: nothing is in its way but its turn. */
function blockerOf({ node, standing, progress, report }: Member, look: Look): Reason | undefined {
  const { release } = look;
  if (standing === 'denied')
    return (
      deniedReason(progress, release.name) ??
      progress?.reason ?? { code: 'node/quarantined', text: `failed on ${release.name}` }
    );
  if (standing === 'held')
    return { code: 'node/held', text: 'a person holds it by the label plinth.dev/hold' };
  if (standing === 'no-way')
    return {
      code: 'node/no-way',
      text: `${release.name} may not be reached from ${report?.osVersion ?? ''}, or the node refuses it`,
    };
  // Between two tries it is a blocker as much as before the next one.
  if (standing === 'backing-off' || (standing === 'staged' && (progress?.attempts ?? 0) > 0))
    return (
      actOf(report) ??
      progress?.reason ?? { code: 'node/backing-off', text: `tried ${progress?.attempts} times` }
    );
  if (standing === 'lost') return { code: 'node/lost', text: 'not Ready for longer than capacity.lostAfter' };
  if (standing === 'unknown') return { code: 'node/unknown', text: 'has not said yet what it runs' };
  if (standing === 'in-flight') return progress?.phase === 'Unreachable' ? progress.reason : undefined;
  if (standing === 'staged' && !node.isReady) return { code: 'node/not-ready', text: 'is not Ready' };
  return undefined;
}

/** The nodes that are held up, those that a person has to look at first; since when is kept while the reason stays. */
export function blockersOf(look: Look): RolloutStatus['blockers'] {
  const reasons = new Map<string, Reason>();
  for (const { member, reason } of look.admitted.blocked) reasons.set(member.node.name, reason);
  for (const member of look.pool.members) {
    const reason = blockerOf(member, look);
    if (reason !== undefined) reasons.set(member.node.name, reason);
  }
  const before = new Map(look.before.blockers.map((blocker) => [blocker.node, blocker]));
  return [...reasons]
    .map(([node, reason]) => {
      const old = before.get(node);
      const since = old?.reason.code === reason.code ? old.since : momentOf(look.view.nowMs);
      return { node, reason, since };
    })
    .sort(
      (a, b) =>
        rankOf(a.reason) - rankOf(b.reason) ||
        (a.since < b.since ? -1 : a.since > b.since ? 1 : a.node < b.node ? -1 : 1),
    )
    .slice(0, BLOCKER_LIMIT);
}

/** What nobody but a person can end comes first. */
function rankOf({ code }: Reason): number {
  if (code.startsWith('drain/')) return 1;
  if (code === 'node/unknown' || code === 'node/backing-off') return 3;
  return code === 'node/held' || code.startsWith('admit/') ? 2 : 0;
}
