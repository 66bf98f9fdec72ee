import type { Lane } from '../../objects/index.ts';
import type { FleetView } from '../../view/view.ts';
import { amount } from '../count.ts';
import type { LedgerEntry } from '../node/slot.ts';
import type { Member, Pool } from '../rollout/pool.ts';
import type { WaveState } from '../rollout/waves.ts';
import { apiBound, availableBound, type Bound, churnBound, policyBound } from './bounds.ts';
import { type Domains, domainsOf } from './domains.ts';
import { type Headroom, headroomOf, isCounted } from './headroom.ts';
import { orderOf } from './order.ts';

/** Pods on a node, until they were counted. */
const PODS_PER_NODE = 25;

/** All that admission looks at, beside the view. */
export interface Admission {
  readonly view: FleetView;
  readonly pool: Pool;
  readonly rollout: string;
  readonly lane: Lane;
  /** Undefined on the way back: no waves. */
  readonly wave: WaveState | undefined;
  readonly slotSeconds: number;
  /** Entries of the policy's ledger that still hold a slot, without nodes that are lost. */
  readonly live: readonly LedgerEntry[];
  /** Of those, the ones whose Node is gone and is being replaced: they are of the pool. */
  readonly gone: number;
  /** Nodes in flight of other policies. */
  readonly elsewhere: number;
  /** Nodes that may be given a slot. */
  readonly candidates: readonly Member[];
}

/** The bounds as they are now, and the account by which nodes are taken. */
export interface Room {
  readonly bounds: readonly Bound[];
  readonly domains: Domains;
  readonly headroom: Headroom | undefined;
  readonly ordered: readonly Member[];
}

/** roomOf works out every bound (3.4): each is how many nodes may be in flight at once. Pace is added by the caller. */
export function roomOf(admission: Admission): Room {
  const { view, pool, lane, wave, slotSeconds, live, gone, elsewhere, candidates } = admission;
  const policy = pool.policy.spec;
  const counted = pool.members.filter(({ standing }) => standing !== 'lost');
  const capacity = { nodes: counted.length + gone, down: counted.filter(({ isDown }) => isDown).length };
  const toCome = [...candidates, ...pool.members.filter(isToCome)];
  const domains = domainsOf(policy, pool.members, live, toCome);
  const ordered = orderOf(candidates, view, {
    rollout: admission.rollout,
    domainsInFlight: domains.inFlight,
  });
  // Of the only node nothing fits elsewhere; that it goes all the same is what allowSingleNode says.
  const headroom =
    policy.capacity.headroom.enabled && counted.length > 1
      ? headroomOf(counted, policy.capacity.headroom.reserve)
      : undefined;
  const bounds = [
    policyBound(policy, lane, capacity),
    availableBound(policy, capacity),
    domains.bound,
    churnBound(policy, slotSeconds, podsOn(counted), elsewhere),
    apiBound(slotSeconds, elsewhere, view.writesPerSecond),
  ];
  if (headroom !== undefined) bounds.push(headroomBound(admission, counted, ordered));
  if (policy.role === 'ControlPlane') bounds.push(controlPlaneBound());
  if (wave !== undefined) bounds.push(waveBound(wave, live.length));
  bounds.push(stagedBound(candidates.length, live.length));
  return { bounds, domains, headroom, ordered };
}

function podsOn(members: readonly Member[]): number {
  const known = members.flatMap(({ node }) => (node.requested ? [node.requested.pods] : []));
  return known.length === 0 ? PODS_PER_NODE : known.reduce((sum, pods) => sum + pods, 0) / known.length;
}

function headroomBound(
  { pool, live }: Admission,
  counted: readonly Member[],
  ordered: readonly Member[],
): Bound {
  const { reserve } = pool.policy.spec.capacity.headroom;
  const adviceFor = () =>
    'capacity.headroom.enabled: false, a smaller capacity.headroom.reserve, or more nodes';
  if (!isCounted(counted))
    return {
      ...{ name: 'headroom', value: 1, isLasting: true, adviceFor },
      reason: 'what pods request was not counted on all nodes, so one node at a time',
    };
  const account = headroomOf(counted, reserve);
  let fitting = 0;
  for (const member of remainingIn(ordered, counted)) {
    if (!account.fits(member)) break;
    account.take(member);
    fitting += 1;
  }
  return {
    ...{ name: 'headroom', value: live.length + fitting, isLasting: true, adviceFor },
    reason: `requests of the nodes in flight have to fit elsewhere, with ${reserve} in reserve`,
  };
}

/** Candidates first, then the others that are to come: the bound is asked for the whole rollout, not for what is staged. */
function remainingIn(ordered: readonly Member[], counted: readonly Member[]): Iterable<Member> {
  const first = new Set(ordered);
  return [...ordered, ...counted.filter((member) => !first.has(member) && isToCome(member))];
}

function isToCome({ standing }: Member): boolean {
  return standing === 'waiting' || standing === 'backing-off' || standing === 'unknown';
}

function controlPlaneBound(): Bound {
  return {
    ...{ name: 'controlPlane', value: 1, isLasting: true },
    reason: 'one control plane at a time, over all policies',
    adviceFor: () => 'no setting: control planes go one at a time',
  };
}

function waveBound(wave: WaveState, live: number): Bound {
  return {
    ...{ name: 'wave', value: live + wave.room, isLasting: false },
    reason: wave.isCanary
      ? `wave ${wave.index} (canary): ${amount(wave.upTo, 'node')}, some of each hardware class`
      : `wave ${wave.index}: up to ${amount(wave.upTo, 'node')}, and no more than statistics allow`,
    adviceFor: () => 'other waves',
  };
}

function stagedBound(staged: number, live: number): Bound {
  return {
    ...{ name: 'staged', value: live + staged, isLasting: false },
    reason: `staged and waiting for a slot: ${amount(staged, 'node')}`,
    adviceFor: () => 'a larger churn.maxStaging',
  };
}
