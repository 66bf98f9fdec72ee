import {
  momentMs,
  momentOf,
  type Reason,
  type RolloutPhase,
  type RolloutStatus,
  type Wave,
} from '../../objects/index.ts';
import type { FleetView, StoredPolicy, StoredRelease, StoredRollout } from '../../view/view.ts';
import { type Admitted, admit } from '../admit/admit.ts';
import type { Bound } from '../admit/bounds.ts';
import { needOf, paceBound, slotP90, type Work } from '../admit/need.ts';
import { type Admission, type Room, roomOf } from '../admit/room.ts';
import { turnProblem } from '../admit/turn.ts';
import { type Schedule, scheduleOf } from '../windows/index.ts';
import { budgetProblem, countedFailures, failuresOf } from './failures.ts';
import { gateProblem, holdOf } from './holds.ts';
import { nextWave, phaseOf, type WavePlace } from './phase.ts';
import { isToDo, type Member, type Pool, poolOf } from './pool.ts';
import { badReplacements } from './replaced.ts';
import { type Slots, slotsOf, slotTimes } from './slots.ts';
import { targetOf, type Wanted } from './wanted.ts';
import { remainingSoakSeconds, type Taken, takenOf, type WaveState, waveState, wavesOf } from './waves.ts';

const SLOTS_KEPT = 200;

/** Everything that one look at a rollout comes to; decisions and previews are written from it. */
export interface Look {
  readonly view: FleetView;
  readonly policy: StoredPolicy;
  readonly wanted: Wanted & { readonly rollout: StoredRollout };
  readonly release: StoredRelease;
  /** The status as it was, or as it begins anew. */
  readonly before: RolloutStatus;
  readonly pool: Pool;
  readonly taken: Taken;
  readonly slots: Slots;
  readonly slotSeconds: readonly number[];
  readonly waves: readonly Wave[];
  readonly place: WavePlace;
  readonly wave: WaveState;
  readonly phase: RolloutPhase;
  readonly halt: Reason | undefined;
  readonly failures: RolloutStatus['failures'];
  readonly schedule: Schedule;
  /** Why nobody is given a slot just now; undefined: slots are given as far as the bounds go. */
  readonly hold: Reason | undefined;
  readonly gate: Reason | undefined;
  readonly work: Work;
  readonly need: number;
  readonly room: Room;
  readonly pace: Bound;
  readonly admitted: Admitted;
}

const NOBODY: Admitted = { members: [], blocked: [], lookAtPods: [] };

/** lookAt works out where a rollout is, what binds it, and who gets a slot. It is a pure function of the view. */
export function lookAt(
  view: FleetView,
  policy: StoredPolicy,
  wanted: Look['wanted'],
  before: RolloutStatus,
): Look {
  const { nowMs } = view;
  const { release, rollout, lane } = wanted;
  const pool = poolOf(view, policy, targetOf(release, rollout.name, lane));
  const { members } = pool;
  const slots = slotsOf(view, policy, pool);
  const taken = takenOf(members, slots.gone);
  const slotSeconds = [...before.slotSeconds, ...slotTimes(view, slots, rollout.name)].slice(-SLOTS_KEPT);
  const p90 = slotP90(slotSeconds);
  const waves = wavesOf(policy.spec, lane);
  const bad = badReplacements(view, policy, rollout.name, slots);
  const failures = [...failuresOf(before.failures, members, rollout.name, nowMs, bad)];
  const counted = countedFailures(failures, policy.spec, rollout, nowMs);
  const gate = gateProblem(view, policy, ['Wave', 'Always']);
  const stateOf = (index: number) => waveState(waves, index, members, slots.gone);
  const start = {
    wave: Math.min(before.wave, waves.length - 1),
    startedAt: before.waveStartedAt ?? momentOf(nowMs),
    fullAt: before.waveFullAt,
  };
  const isCanaryNow = waves[start.wave]?.perClass !== undefined;
  const spent = budgetProblem(counted, policy.spec, isCanaryNow, taken);
  const isStill = spent !== undefined || before.phase === 'Halted' || rollout.spec.halt !== '';
  const place = isStill
    ? start
    : nextWave(start, waves, stateOf, {
        promotedWave: Math.min(rollout.spec.promotedWave, waves.length - 1),
        nowMs,
        isGated: gate !== undefined,
      });
  const wave = stateOf(place.wave);
  const turn = turnProblem(view, policy, wanted);
  const back = goingBack(members, wanted, rollout.spec.abort === 'Rollback' ? undefined : place.startedAt);
  const inFlight = slots.live.filter((entry) => entry.rollout === rollout.name).length;
  const { phase, halt } = phaseOf({
    ...{ nowMs, policy, rollout, status: before, spent, turn, inFlight, good: taken.good },
    isRecalled: release.spec.blocked,
    isLaneCritical: lane === 'Critical',
    toGoBack: back.length,
    remaining: remainingOf(members, before.phase),
    staged: members.filter(({ standing }) => standing === 'staged').length,
    isSoaking: wave.isFull && place.fullAt !== undefined && place.wave < waves.length - 1,
  });
  const isBack = phase === 'RollingBack';
  const schedule = scheduleOf(view, policy, lane, p90 * 1000);
  const work: Work = {
    remaining: isBack ? back.length : members.filter(isToDo).length,
    slotSeconds: p90,
    soakSeconds: isBack ? 0 : remainingSoakSeconds(waves, place.wave, msOf(place.fullAt), nowMs),
    nowMs,
    startedMs: momentMs(before.startedAt),
    deadlineMs: momentMs(before.deadline),
  };
  const need = needOf(work, schedule, policy.spec.pace.utilisation);
  const candidates = (isBack ? back : members.filter(({ standing }) => standing === 'staged')).filter(
    ({ node }) => node.isReady && !node.isDeleting,
  );
  const admission: Admission = {
    ...{ view, pool, rollout: rollout.name, lane, candidates, slotSeconds: p90 },
    ...{
      live: slots.live,
      gone: slots.gone.length,
      elsewhere: slots.elsewhere,
      wave: isBack ? undefined : wave,
    },
  };
  const room = roomOf(admission);
  const pace = paceBound(policy.spec, need, taken.good, counted.length);
  const hold = holdOf(view, policy, wanted, { phase, halt, schedule, turn });
  return {
    ...{ view, policy, wanted, release, before, pool, taken, slots, slotSeconds, waves, place, wave, phase },
    ...{ halt, failures, schedule, hold, gate, work, need, room, pace },
    admitted: hold === undefined && slots.ledger !== undefined ? admit(admission, room, pace) : NOBODY,
  };
}

/** Nodes that are not through. A rollout that was complete is opened again only by a node that is known to be behind. */
function remainingOf(members: readonly Member[], phase: RolloutPhase): number {
  return members.filter(
    (member) =>
      (isToDo(member) && !(phase === 'Complete' && member.standing === 'unknown')) ||
      member.standing === 'soaking' ||
      (member.standing === 'held' && phase !== 'Complete'),
  ).length;
}

/** Nodes that this rollout brought to the release, since a moment, and that have a system to go back to. */
function goingBack(
  members: readonly Member[],
  { rollout }: Look['wanted'],
  since: string | undefined,
): Member[] {
  return members.filter(
    ({ standing, update, progress, report }) =>
      (standing === 'done' || standing === 'soaking') &&
      update?.spec.target?.rollout === rollout.name &&
      progress?.admittedAt !== undefined &&
      (since === undefined || momentMs(progress.admittedAt) >= momentMs(since)) &&
      ((report?.rollbackVersion ?? '') !== '' || hasConfigToTakeBack(report)),
  );
}

function hasConfigToTakeBack(report: Member['report']): boolean {
  return report?.config?.isOurs === true && !report.config.isBackStaged;
}

function msOf(moment: string | undefined): number | undefined {
  return moment === undefined ? undefined : momentMs(moment);
}
