import { momentMs, momentOf, type RolloutSpec, type RolloutStatus } from '../../objects/index.ts';
import type { FleetView, StoredPolicy, StoredRollout } from '../../view/view.ts';
import { rolloutNameOf, type Wanted } from './wanted.ts';

const HOUR_MS = 3_600_000;

/** A rollout as it is made: its name, what people may change of it, and its status. */
export function newRollout(
  policy: StoredPolicy,
  wanted: Wanted,
  nowMs: number,
): { name: string; spec: RolloutSpec; status: RolloutStatus } {
  const { release, lane } = wanted;
  return {
    name: rolloutNameOf(policy.name, release.name),
    spec: {
      ...{ release: release.name, policy: policy.name, lane, paused: false, halt: '', abort: 'None' },
      promotedWave: 0,
    },
    status: newStatus(policy, wanted, nowMs),
  };
}

function newStatus(policy: StoredPolicy, { lane }: Wanted, nowMs: number): RolloutStatus {
  const now = momentOf(nowMs);
  return {
    ...{ phase: 'Pending', since: now, startedAt: now, wave: 0, counts: {}, concurrency: 0 },
    deadline: momentOf(nowMs + policy.spec.pace.deadlineHours[lane] * HOUR_MS),
    ...{ slotSeconds: [], failures: [], blockers: [], conditions: [] },
  };
}

/**
 * startOf is the status that a look goes on from. A rollout that was superseded, or stopped by its policy, and is wanted again
 * begins anew; a raised lane brings the deadline nearer, never further away.
 */
export function startOf(
  view: FleetView,
  policy: StoredPolicy,
  wanted: Wanted,
  rollout: StoredRollout,
): RolloutStatus {
  const { status } = rollout;
  if (status === undefined) return newStatus(policy, wanted, view.nowMs);
  const isOver = status.phase === 'Superseded' || status.phase === 'Stopped';
  if (isOver && rollout.spec.abort === 'None')
    return { ...newStatus(policy, wanted, view.nowMs), slotSeconds: status.slotSeconds };
  const laneMs = momentMs(status.startedAt) + policy.spec.pace.deadlineHours[wanted.lane] * HOUR_MS;
  return { ...status, deadline: momentOf(Math.min(momentMs(status.deadline), laneMs)) };
}
