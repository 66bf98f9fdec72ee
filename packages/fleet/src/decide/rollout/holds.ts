import { type Lane, momentOf, type Reason, type RolloutPhase } from '../../objects/index.ts';
import type { FleetView, StoredPolicy, StoredRollout } from '../../view/view.ts';
import type { Schedule } from '../windows/index.ts';

/** Where the rollout is, as far as it holds admission back. */
interface HoldFacts {
  readonly phase: RolloutPhase;
  readonly halt: Reason | undefined;
  readonly schedule: Schedule;
  readonly turn: string | undefined;
}

/** What gates of some scopes say: pass only where each was asked and passes; a gate that is missing or silent holds. */
export function gateProblem(
  view: FleetView,
  policy: StoredPolicy,
  scopes: readonly ('Node' | 'Wave' | 'Always')[],
): Reason | undefined {
  for (const name of policy.spec.gates) {
    const gate = view.gates.get(name);
    if (gate === undefined)
      return { code: 'gate/missing', text: `HealthGate ${name}: there is none of this name` };
    if (!scopes.includes(gate.spec.scope)) continue;
    const result = view.gateResults.get(name);
    if (result === undefined || result.state === 'unknown')
      return {
        code: 'gate/unknown',
        text: `HealthGate ${name} could not be asked${result ? `: ${result.reason.text}` : ''}`.slice(
          0,
          1024,
        ),
      };
    if (result.state === 'fail')
      return { code: 'gate/failing', text: `HealthGate ${name}: ${result.reason.text}`.slice(0, 1024) };
  }
  return undefined;
}

const ADMITTING: ReadonlySet<RolloutPhase> = new Set(['Staging', 'Progressing', 'Soaking', 'RollingBack']);

/** Why nobody is given a slot (S10), whatever the bounds say. */
export function holdOf(
  view: FleetView,
  policy: StoredPolicy,
  { rollout, lane }: { readonly rollout: StoredRollout; readonly lane: Lane },
  { phase, halt, schedule, turn }: HoldFacts,
): Reason | undefined {
  if (!view.isSynced) return { code: 'admit/not-synced', text: 'the state of the cluster is being read' };
  if (policy.spec.paused || rollout.spec.paused) return { code: 'admit/paused', text: 'paused by a person' };
  if (!ADMITTING.has(phase)) {
    if (phase === 'Pending') return { code: 'admit/turn', text: turn ?? '' };
    return { code: `admit/${phase.toLowerCase()}`, text: halt?.text ?? `the rollout is ${phase}` };
  }
  const [problem] = schedule.problems;
  if (problem !== undefined) return { code: 'admit/window', text: problem };
  if (!schedule.isOpen)
    return {
      code: 'admit/window',
      text: schedule.changesAtMs
        ? `outside the maintenance windows until ${momentOf(schedule.changesAtMs)}`
        : 'outside the maintenance windows, and none opens in the next two months',
    };
  const gate = gateProblem(view, policy, ['Always']);
  if (gate !== undefined) return gate;
  if (lane !== 'Critical' && isCriticalShort(view, policy))
    return { code: 'admit/critical-first', text: 'a Critical rollout elsewhere needs the evictions' };
  return undefined;
}

/** Whether a Critical rollout of another policy is held back by the evictions that all policies share. */
function isCriticalShort(view: FleetView, policy: StoredPolicy): boolean {
  return [...view.rollouts.values()].some(
    ({ spec, status }) =>
      spec.policy !== policy.name &&
      spec.lane === 'Critical' &&
      status !== undefined &&
      ADMITTING.has(status.phase) &&
      status.bound?.name === 'churn',
  );
}
