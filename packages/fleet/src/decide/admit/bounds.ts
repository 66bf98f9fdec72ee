import type { CountOrPercent, Lane, PolicySpec } from '../../objects/index.ts';
import { amount, countOf } from '../count.ts';

/** In the lane Critical a share below this is raised to it; a number of nodes is a person's word and stays. */
const CRITICAL_SHARE = 20;
/** Writes a second that the operator allows itself at the API server, and what one node takes without its evictions. */
const WRITES_PER_SECOND = 20;
const WRITES_PER_NODE = 18;

/** How many nodes may be in flight at once by one rule, and what would have to be set for more. */
export interface Bound {
  readonly name:
    | 'maxUnavailable'
    | 'minAvailable'
    | 'headroom'
    | 'domain'
    | 'churn'
    | 'apiCalls'
    | 'controlPlane'
    | 'wave'
    | 'staged'
    | 'pace';
  readonly value: number;
  readonly reason: string;
  /** It is there in each wave, so a deadline cannot be kept against it; others pass as the rollout goes on. */
  readonly isLasting: boolean;
  /** What would have to be changed so that `need` nodes could be in flight. */
  readonly adviceFor: (need: number) => string;
}

/** Nodes that a policy counts. */
export interface Capacity {
  /** Nodes of the policy without the lost ones. */
  readonly nodes: number;
  /** Out of service, and not because of us. */
  readonly down: number;
}

/** How many nodes of a policy may be unavailable at once, for whatever reason: rounded down, one at least. */
export function maxUnavailableOf(policy: PolicySpec, lane: Lane, nodes: number): number {
  if (nodes === 0) return 0;
  if (nodes === 1 && !policy.capacity.allowSingleNode) return 0;
  if (policy.role === 'ControlPlane') return 1;
  return Math.max(1, countOf(inLane(policy.capacity.maxUnavailable, lane), nodes, 'down'));
}

function inLane(value: CountOrPercent, lane: Lane): CountOrPercent {
  if (lane !== 'Critical' || typeof value === 'number') return value;
  return `${Math.max(CRITICAL_SHARE, Number(value.slice(0, -1)))}%`;
}

/** The bound that `capacity.maxUnavailable` sets. */
export function policyBound(policy: PolicySpec, lane: Lane, { nodes, down }: Capacity): Bound {
  const most = maxUnavailableOf(policy, lane, nodes);
  return {
    name: 'maxUnavailable',
    value: most - down,
    isLasting: true,
    reason:
      nodes === 1 && most === 0
        ? 'the only node of the policy; capacity.allowSingleNode is false'
        : `${most} of ${amount(nodes, 'node')} may be unavailable, ${down} for other reasons already`,
    adviceFor: (need) =>
      nodes <= 1
        ? 'capacity.allowSingleNode: true'
        : `capacity.maxUnavailable: ${percentFor(need + down, nodes)}`,
  };
}

/** The bound that `capacity.minAvailable` sets: rounded up, never relaxed. */
export function availableBound(policy: PolicySpec, { nodes, down }: Capacity): Bound {
  const least =
    typeof policy.capacity.minAvailable === 'number'
      ? policy.capacity.minAvailable
      : countOf(policy.capacity.minAvailable, nodes, 'up');
  return {
    name: 'minAvailable',
    value: nodes - least - down,
    isLasting: true,
    reason: `${least} of ${amount(nodes, 'node')} must stay available, ${down} unavailable for other reasons`,
    adviceFor: (need) => `capacity.minAvailable: ${Math.max(0, nodes - need - down)}`,
  };
}

/** The bound that evictions a second set: what is being emptied at once, over all policies. */
export function churnBound(
  policy: PolicySpec,
  slotSeconds: number,
  podsPerNode: number,
  elsewhere: number,
): Bound {
  const rate = policy.churn.maxEvictionsPerSecond;
  const pods = Math.max(1, podsPerNode);
  return {
    name: 'churn',
    value: Math.max(1, Math.floor((rate * slotSeconds) / pods)) - elsewhere,
    isLasting: true,
    reason: `${rate} evictions a second, about ${amount(Math.round(pods), 'pod')} on a node; ${amount(elsewhere, 'node')} in flight elsewhere`,
    adviceFor: (need) =>
      `churn.maxEvictionsPerSecond: ${Math.ceil(((need + elsewhere) * pods) / slotSeconds)}`,
  };
}

/** The bound that our own writes to the API server set, over all policies. */
export function apiBound(slotSeconds: number, elsewhere: number, writesPerSecond = WRITES_PER_SECOND): Bound {
  return {
    name: 'apiCalls',
    value: Math.max(1, Math.floor((writesPerSecond * slotSeconds) / WRITES_PER_NODE)) - elsewhere,
    isLasting: true,
    reason: `${writesPerSecond} writes a second, ${WRITES_PER_NODE} for a node; ${amount(elsewhere, 'node')} in flight elsewhere`,
    adviceFor: (need) =>
      `the operator would need ${Math.ceil(((need + elsewhere) * WRITES_PER_NODE) / slotSeconds)} writes a second`,
  };
}

/** How many nodes of one failure domain may be unavailable at once. */
export function domainLimit(policy: PolicySpec, nodesOfDomain: number): number {
  return Math.max(1, countOf(policy.topology.maxUnavailablePerDomain, nodesOfDomain, 'down'));
}

/** The least share that is so many of all nodes, as it is written; a number where even all are too few. */
function percentFor(count: number, nodes: number): string {
  return `${Math.min(100, Math.ceil((100 * count) / Math.max(1, nodes)))}%`;
}

/** The smallest of the bounds; the first of equals. */
export function smallest(bounds: readonly Bound[]): Bound | undefined {
  let least: Bound | undefined;
  for (const bound of bounds) if (least === undefined || bound.value < least.value) least = bound;
  return least;
}
