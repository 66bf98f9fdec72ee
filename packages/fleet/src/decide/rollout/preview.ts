import type { Lane, Reason } from '../../objects/index.ts';
import type { FleetView, StoredPolicy, StoredRollout } from '../../view/view.ts';
import { deadlineRisk, etaOf } from '../admit/need.ts';
import { orderOf } from '../admit/order.ts';
import { nextOpenings, type Opening } from '../windows/index.ts';
import { blockersOf } from './blockers.ts';
import { type Look, lookAt } from './look.ts';
import { isToDo, type Member } from './pool.ts';
import { newRollout, startOf } from './start.ts';
import { inServiceOf, steadyOf } from './status.ts';
import { type Wanted, wantedOf } from './wanted.ts';
import { waveState } from './waves.ts';

/** What a rollout would do, or does next, before anything moves. */
export interface RolloutPreview {
  readonly release: string;
  readonly lane: Lane;
  /** Name of the rollout, also when it is still to be made. */
  readonly rollout: string;
  readonly isNew: boolean;
  readonly nodes: number;
  readonly remaining: number;
  /** Nodes in the order in which they would get slots, with the index of the wave that would take them. */
  readonly order: readonly PlannedNode[];
  /** Nodes updated when each wave is over, and its soak as the policy writes it. */
  readonly waves: readonly { readonly name: string; readonly upTo: number; readonly soak: string }[];
  readonly blockers: readonly { readonly node: string; readonly reason: Reason }[];
  /** Each bound: nodes in flight at once. */
  readonly bounds: readonly { readonly name: string; readonly value: number; readonly reason: string }[];
  /** Nodes at once that the deadline asks for (Infinity: no number suffices), and that the bounds allow. */
  readonly need: number;
  readonly concurrency: number;
  readonly deadline: string;
  readonly isAtRisk: boolean;
  readonly advice: string;
  /** undefined: the end is not in sight. */
  readonly etaSeconds: number | undefined;
  /** Openings of the windows that it takes until the end; undefined: not in sight. */
  readonly openingsNeeded: number | undefined;
  /** Nodes that have not said yet what they run: they count as nodes to come. */
  readonly notAsked: number;
  /** Why nothing would be begun with just now. */
  readonly hold: Reason | undefined;
  readonly windows: readonly { readonly name: string; readonly next: readonly Opening[] | string }[];
}

export interface PlannedNode {
  readonly node: string;
  readonly domain: string;
  readonly hardware: string;
  readonly wave: number;
}

/** previewRollout is the dry run of a policy: by the same functions that decide. undefined: nothing is wanted of its nodes. */
export function previewRollout(view: FleetView, policyName: string): RolloutPreview | undefined {
  const policy = view.policies.get(policyName);
  const wanted = policy && wantedOf(view, policy);
  if (policy === undefined || wanted === undefined) return undefined;
  const rollout = wanted.rollout ?? imagined(view, policy, wanted);
  const look = lookAt(view, policy, { ...wanted, rollout }, startOf(view, policy, wanted, rollout));
  const { work, room, schedule, need } = look;
  const concurrency = steadyOf(look);
  const etaSeconds = etaOf(work, concurrency, schedule);
  const risk = deadlineRisk(room.bounds, need, work, schedule, policy.spec.pace.utilisation, {
    lane: wanted.lane,
    nodes: inServiceOf(look.pool.members),
  });
  const endMs = etaSeconds === undefined ? undefined : view.nowMs + etaSeconds * 1000;
  return {
    ...{
      release: look.release.name,
      lane: wanted.lane,
      rollout: rollout.name,
      isNew: wanted.rollout === undefined,
    },
    ...{
      nodes: look.pool.members.length,
      remaining: work.remaining,
      order: plannedOrder(look),
      need,
      concurrency,
    },
    waves: look.waves.map(({ name, soak }, index) => ({
      ...{ name, soak, upTo: waveState(look.waves, index, look.pool.members).upTo },
    })),
    notAsked: look.pool.members.filter(({ standing }) => standing === 'unknown').length,
    blockers: blockersOf(look)
      .filter(({ reason }) => reason.code !== 'node/unknown')
      .map(({ node, reason }) => ({ node, reason })),
    // What is staged just now says nothing about the rollout as it will run.
    bounds: [...room.bounds.filter(({ name }) => name !== 'staged'), look.pace].map(
      ({ name, value, reason }) => ({ name, value, reason }),
    ),
    ...{
      deadline: look.before.deadline,
      isAtRisk: risk.isAtRisk,
      advice: risk.advice,
      etaSeconds,
      hold: look.hold,
    },
    openingsNeeded:
      endMs === undefined ? undefined : schedule.openings.filter(({ startMs }) => startMs <= endMs).length,
    windows: policy.spec.windows.map((name) => {
      const spec = view.windows.get(name)?.spec;
      return { name, next: spec ? nextOpenings(spec, view.nowMs) : 'there is none of this name' };
    }),
  };
}

function imagined(view: FleetView, policy: StoredPolicy, wanted: Wanted): StoredRollout {
  const { name, spec, status } = newRollout(policy, wanted, view);
  return { name, uid: '', resourceVersion: '', generation: 1, createdAtMs: view.nowMs, spec, status };
}

/** Canaries first, one after the other through the waves; where a node fails or cannot be emptied, the next takes its place. */
function plannedOrder({ pool, view, waves, wave, wanted, slots, taken }: Look): PlannedNode[] {
  const domainsInFlight = new Set(slots.live.map(({ domain }) => domain));
  const ordering = { rollout: wanted.rollout.name, domainsInFlight };
  const ordered = orderOf(
    pool.members.filter((member) => isToDo(member) && member.standing !== 'in-flight'),
    view,
    ordering,
  );
  const left = new Map(wave.roomByClass);
  const canaries = ordered.filter(({ hardware }) => {
    const count = left.get(hardware) ?? 0;
    left.set(hardware, count - 1);
    return count > 0;
  });
  const chosen = new Set(canaries);
  const caps = waves.map((_, index) => waveState(waves, index, pool.members).upTo);
  let begun = taken.begun + canaries.length;
  const planned = (member: Member, index: number): PlannedNode => ({
    ...{ node: member.node.name, domain: member.domain, hardware: member.hardware, wave: index },
  });
  const rest = ordered
    .filter((member) => !chosen.has(member))
    .map((member) => {
      begun += 1;
      const from = canaries.length > 0 ? wave.index + 1 : wave.index;
      const index = caps.findIndex((cap, at) => at >= from && begun <= cap);
      return planned(member, index < 0 ? waves.length - 1 : index);
    });
  return [...canaries.map((member) => planned(member, wave.index)), ...rest];
}
