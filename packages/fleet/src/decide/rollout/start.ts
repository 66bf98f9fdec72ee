import { momentMs, momentOf, type RolloutSpec, type RolloutStatus } from '../../objects/index.ts';
import type { FleetView, StoredPolicy, StoredRollout } from '../../view/view.ts';
import { rolloutNameOf, type Wanted } from './wanted.ts';

const HOUR_MS = 3_600_000;

/** A rollout as it is made: its name, what people may change of it, and its status. */
export function newRollout(
  policy: StoredPolicy,
  wanted: Wanted,
  view: FleetView,
): { name: string; spec: RolloutSpec; status: RolloutStatus } {
  const { release, lane } = wanted;
  return {
    name: rolloutNameOf(policy.name, release.name),
    spec: {
      ...{ release: release.name, policy: policy.name, lane, paused: false, halt: '', abort: 'None' },
      promotedWave: 0,
    },
    status: newStatus(view, policy, wanted),
  };
}

function newStatus(view: FleetView, policy: StoredPolicy, wanted: Wanted): RolloutStatus {
  const now = momentOf(view.nowMs);
  return {
    ...{ phase: 'Pending', since: now, startedAt: now, wave: 0, counts: {}, concurrency: 0 },
    deadline: momentOf(dueMs(view, policy, wanted, view.nowMs)),
    ...{ slotSeconds: [], failures: [], blockers: [], conditions: [] },
  };
}

/**
 * startOf is the status that a look goes on from. A rollout that was superseded, or stopped by its policy, and is wanted again
 * begins anew; a raised lane, or the word of its signed channel, brings the deadline nearer, never further away.
 */
export function startOf(
  view: FleetView,
  policy: StoredPolicy,
  wanted: Wanted,
  rollout: StoredRollout,
): RolloutStatus {
  const { status } = rollout;
  if (status === undefined) return newStatus(view, policy, wanted);
  const isOver = status.phase === 'Superseded' || status.phase === 'Stopped';
  if (isOver && rollout.spec.abort === 'None')
    return { ...newStatus(view, policy, wanted), slotSeconds: status.slotSeconds };
  const nowDueMs = dueMs(view, policy, wanted, momentMs(status.startedAt));
  return { ...status, deadline: momentOf(Math.min(momentMs(status.deadline), nowDueMs)) };
}

/** The policy's hours for the lane, or what the signed channel says where that is sooner: nobody outside gives more time than the policy. */
function dueMs(view: FleetView, policy: StoredPolicy, { release, lane }: Wanted, startedMs: number): number {
  const laneMs = startedMs + policy.spec.pace.deadlineHours[lane] * HOUR_MS;
  const signed = view.signedDeadlines?.get(release.name);
  return signed?.is === 'said' ? Math.min(laneMs, signed.byMs) : laneMs;
}
