import {
  durationMs,
  momentMs,
  momentOf,
  type Reason,
  type RolloutPhase,
  type RolloutStatus,
  type Wave,
} from '../../objects/index.ts';
import type { StoredPolicy, StoredRollout } from '../../view/view.ts';
import type { WaveState } from './waves.ts';

/** What a rollout's phase is decided by. */
export interface PhaseFacts {
  readonly nowMs: number;
  readonly policy: StoredPolicy;
  readonly rollout: StoredRollout;
  readonly status: RolloutStatus;
  readonly isRecalled: boolean;
  /** The failure budget is spent, and why. */
  readonly spent: Reason | undefined;
  readonly isLaneCritical: boolean;
  /** Nodes that have to go back yet, where it is going back; and that are in flight. */
  readonly toGoBack: number;
  readonly inFlight: number;
  readonly remaining: number;
  readonly good: number;
  readonly staged: number;
  readonly turn: string | undefined;
  readonly isSoaking: boolean;
}

/** The phase a rollout is in now, and why it is halted if it is. */
export function phaseOf(facts: PhaseFacts): { phase: RolloutPhase; halt: Reason | undefined } {
  const { rollout, status, policy } = facts;
  const { abort, halt: said, paused } = rollout.spec;
  const halt = haltOf(facts, said);
  if (abort === 'Stop') return { phase: 'Stopped', halt };
  if (abort === 'Rollback')
    return { phase: facts.toGoBack + facts.inFlight > 0 ? 'RollingBack' : 'Stopped', halt };
  if (halt !== undefined) return { phase: isGoingBack(facts, halt) ? 'RollingBack' : 'Halted', halt };
  if (facts.remaining === 0 && facts.inFlight === 0) return { phase: 'Complete', halt };
  if (paused || policy.spec.paused) return { phase: 'Paused', halt };
  if (facts.turn !== undefined) return { phase: 'Pending', halt };
  if (facts.isSoaking) return { phase: 'Soaking', halt };
  const isBegun = facts.good + facts.inFlight + facts.staged > 0 || status.wave > 0;
  return { phase: isBegun ? 'Progressing' : 'Staging', halt };
}

/** A halt stays until a person clears it, or another release is wanted. */
function haltOf({ isRecalled, spent, status, rollout }: PhaseFacts, said: string): Reason | undefined {
  if (isRecalled) return { code: 'rollout/recalled', text: 'the release was recalled' };
  if (said !== '') return { code: 'rollout/halted-by-person', text: said };
  const clearedMs = momentMs(rollout.spec.clearedHaltAt ?? '');
  const isOwn = status.halt?.code === 'rollout/failure-budget';
  if (isOwn && status.haltedAt !== undefined && !(momentMs(status.haltedAt) <= clearedMs)) return status.halt;
  return spent;
}

/** With rollbackWave the nodes of the wave go back too; never in the lane Critical, to what is known to be vulnerable. */
function isGoingBack(
  { policy, isLaneCritical, toGoBack, status, inFlight }: PhaseFacts,
  halt: Reason,
): boolean {
  if (halt.code !== 'rollout/failure-budget' || !policy.spec.failureBudget.rollbackWave || isLaneCritical)
    return false;
  return toGoBack > 0 || (status.phase === 'RollingBack' && inFlight > 0);
}

/** Where a rollout is in its waves. */
export interface WavePlace {
  readonly wave: number;
  readonly startedAt: string;
  readonly fullAt: string | undefined;
}

/**
 * nextWave goes on while waves are over: full, soaked, and their gates pass, or promoted past by a person. A wave that
 * brought no node over those before has nothing to be watched, and needs no soak.
 */
export function nextWave(
  place: WavePlace,
  waves: readonly Wave[],
  stateOf: (index: number) => WaveState,
  { promotedWave, nowMs, isGated }: { promotedWave: number; nowMs: number; isGated: boolean },
): WavePlace {
  let { wave, startedAt, fullAt } = place;
  const last = waves.length - 1;
  while (wave < last) {
    const state = stateOf(wave);
    if (wave < promotedWave) {
      wave += 1;
      startedAt = momentOf(nowMs);
      fullAt = undefined;
      continue;
    }
    if (!state.isFull) return { wave, startedAt, fullAt: undefined };
    fullAt ??= momentOf(nowMs);
    const soakMs = isIdleWave(wave, stateOf) ? 0 : durationMs(waves[wave]?.soak ?? '0s');
    if (isGated || nowMs - momentMs(fullAt) < soakMs) return { wave, startedAt, fullAt };
    wave += 1;
    startedAt = momentOf(nowMs);
    fullAt = undefined;
  }
  const isFull = stateOf(wave).isFull;
  return { wave, startedAt, fullAt: isFull ? (fullAt ?? momentOf(nowMs)) : undefined };
}

/** Whether a wave takes no more nodes than the one before took. */
function isIdleWave(wave: number, stateOf: (index: number) => WaveState): boolean {
  return wave > 0 && stateOf(wave).upTo <= stateOf(wave - 1).upTo;
}
