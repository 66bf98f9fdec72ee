import { OUTDATED_EFFECT, OUTDATED_TAINT, type Write } from '../decision.ts';
import { at } from '../node/node-case.ts';
import type { Look } from './look.ts';
import type { Member } from './pool.ts';

/** Most taints set or taken off in one look. */
const TAINT_LIMIT = 50;

/** Nodes that are still to come are marked, so pods that have to move go to nodes that are done and move once (3.5). */
export function outdatedWrites({ phase, pool, policy }: Look): Write[] {
  if (policy.spec.role === 'ControlPlane' || pool.members.length < 2) return [];
  const isRunning = ['Staging', 'Progressing', 'Soaking', 'Paused'].includes(phase);
  const writes: Write[] = [];
  for (const member of pool.members) {
    if (writes.length >= TAINT_LIMIT) break;
    if (member.standing === 'in-flight' || member.node.isDeleting) continue;
    const has = member.node.taints.some(({ key }) => key === OUTDATED_TAINT);
    const should = isRunning && isToCome(member);
    if (should && !has)
      writes.push({
        do: 'taint',
        at: at(member.node),
        taint: { key: OUTDATED_TAINT, value: '', effect: OUTDATED_EFFECT },
      });
    if (!should && has)
      writes.push({ do: 'untaint', at: at(member.node), key: OUTDATED_TAINT, effect: OUTDATED_EFFECT });
  }
  return writes;
}

function isToCome({ standing }: Member): boolean {
  return standing === 'waiting' || standing === 'staged' || standing === 'backing-off';
}
