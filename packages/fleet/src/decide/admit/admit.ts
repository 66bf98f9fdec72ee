import type { Reason } from '../../objects/index.ts';
import type { FleetView, PodView } from '../../view/view.ts';
import type { Member } from '../rollout/pool.ts';
import { type Bound, smallest } from './bounds.ts';
import { leaderRank, quorumProblem, staleProblem } from './control-plane.ts';
import { isCounted } from './headroom.ts';
import { packingOf } from './packing.ts';
import type { Admission, Room } from './room.ts';

/** Nodes whose pods are looked at before they are admitted, at most. */
const LOOK_LIMIT = 200;

/** What admission came to. */
export interface Admitted {
  readonly members: readonly Member[];
  readonly blocked: readonly { readonly member: Member; readonly reason: Reason }[];
  readonly lookAtPods: readonly string[];
}

/**
 * admit chooses who gets a slot now: in order, as long as no bound is reached (S1, S2), the domain is open (S12), the pods
 * fit elsewhere and no disruption budget is wanted twice. A node that is down already takes no more capacity away.
 */
export function admit(admission: Admission, room: Room, pace: Bound): Admitted {
  const { view, pool, wave, live } = admission;
  const policy = pool.policy.spec;
  const limit = (names: (bound: Bound) => boolean) =>
    (smallest([...room.bounds, pace].filter(names))?.value ?? 0) - live.length;
  let capacity = limit(({ name }) => name === 'maxUnavailable' || name === 'minAvailable');
  let slots = limit(({ name }) => !['maxUnavailable', 'minAvailable', 'domain', 'headroom'].includes(name));
  const byClass = new Map(wave?.roomByClass);
  const packing = packingOf(view.budgets, podsOfFlights(admission), policy.drain);
  const isCareful = room.headroom !== undefined && !isCounted(pool.members);
  const members: Member[] = [];
  const blocked: { member: Member; reason: Reason }[] = [];
  if (slots <= 0 || capacity < 0) return { members, blocked, lookAtPods: [] };
  const looked = lookedAt(room.ordered, slots, view.nowMs);
  const known = looked.flatMap((member) => {
    const pods = view.pods.get(member.node.name);
    return pods === undefined ? [] : [{ member, pods, held: packing.heldPods(pods) }];
  });
  for (const { member, pods } of byHeldPods(known, view)) {
    const refuse = (reason: Reason) => blocked.push({ member, reason });
    if (slots <= 0) break;
    if (!member.node.isReady || member.node.isDeleting) continue;
    if (capacity < (member.isDown ? 0 : 1)) continue;
    if (wave?.roomByClass && (byClass.get(member.hardware) ?? 0) <= 0) continue;
    if (!room.domains.fits(member)) continue;
    if (isCareful && live.length + members.length > 0) break;
    const held = packing.problem(pods);
    if (held !== undefined) {
      refuse(held);
      continue;
    }
    if (room.headroom !== undefined && !isCareful && !room.headroom.fits(member)) {
      refuse({ code: 'admit/headroom', text: 'what its pods request does not fit on the nodes that stay' });
      continue;
    }
    const quorum =
      policy.role === 'ControlPlane'
        ? (staleProblem(view) ?? quorumProblem(view.etcd, member.node.name, policy.capacity.allowSingleNode))
        : undefined;
    if (quorum !== undefined) {
      refuse({ code: 'admit/quorum', text: quorum });
      continue;
    }
    members.push(member);
    slots -= 1;
    if (!member.isDown) capacity -= 1;
    byClass.set(member.hardware, (byClass.get(member.hardware) ?? 0) - 1);
    room.domains.take(member);
    room.headroom?.take(member);
    packing.take(pods);
  }
  return { members, blocked, lookAtPods: looked.map(({ node }) => node.name) };
}

interface Looked {
  readonly member: Member;
  readonly pods: readonly PodView[];
  readonly held: number;
}

/** The order stands as it is; only among neighbours that differ in nothing but age and hash few held pods go first. */
function byHeldPods(known: readonly Looked[], view: FleetView): Looked[] {
  let group = 0;
  let before = '';
  const placed = known.map((looked, index) => {
    const { domain, isDown, progress, node } = looked.member;
    const last = node.name === view.leaderNode || leaderRank(view.etcd, node.name) > 0;
    const rank = `${domain}/${isDown}/${(progress?.attempts ?? 0) > 0}/${last}`;
    if (rank !== before) group += 1;
    before = rank;
    return { looked, group, index };
  });
  placed.sort((a, b) => a.group - b.group || a.looked.held - b.looked.held || a.index - b.index);
  return placed.map(({ looked }) => looked);
}

/**
 * The candidates whose pods are looked at: the first, some more than there are slots, and beside them others that change
 * each minute, so nodes that cannot be emptied do not stand before all others for ever (L3).
 */
function lookedAt(ordered: readonly Member[], slots: number, nowMs: number): Member[] {
  const count = Math.min(LOOK_LIMIT / 2, 2 * slots + 4);
  const rest = ordered.slice(count);
  const from = rest.length === 0 ? 0 : (Math.floor(nowMs / 60_000) * count) % rest.length;
  return [...ordered.slice(0, count), ...[...rest, ...rest].slice(from, from + Math.min(count, rest.length))];
}

function* podsOfFlights({ live, view }: Admission): Generator<readonly PodView[]> {
  for (const { node } of live) yield view.pods.get(node) ?? [];
}
