import { PlinthError } from '@plinth/base';
import type { FleetView, RolloutPhase, StoredRollout } from '@plinth/fleet';

/** Phases that nothing follows. */
const ENDED: readonly RolloutPhase[] = ['Complete', 'Superseded', 'Stopped'];

/** hasEnded tells whether nothing more is done for a rollout. */
export function hasEnded({ status }: StoredRollout): boolean {
  return status !== undefined && ENDED.includes(status.phase);
}

/** findRollout takes the name of a rollout, or that of a policy with one that is under way. @throws fleet/unknown-rollout */
export function findRollout(view: FleetView, name: string): StoredRollout {
  const exact = view.rollouts.get(name);
  if (exact) return exact;
  const open = [...view.rollouts.values()].filter((each) => each.spec.policy === name && !hasEnded(each));
  const [first, second] = open;
  if (first && !second) return first;
  const state = second
    ? `policy ${name} has ${open.length} under way: ${open.map((each) => each.name).join(', ')}`
    : 'there is none of this name, and no policy of this name has one under way';
  throw new PlinthError('fleet/unknown-rollout', `Cannot find rollout "${name}": ${state}`);
}
