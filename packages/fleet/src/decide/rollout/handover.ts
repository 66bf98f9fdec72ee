import { momentOf } from '../../objects/index.ts';
import type { FleetView, NodeView, StoredNodeUpdate, StoredPolicy } from '../../view/view.ts';
import { OUTDATED_EFFECT, OUTDATED_TAINT, type Write } from '../decision.ts';
import { at } from '../node/node-case.ts';
import { isInFlight } from '../node/phases.ts';
import { isReleased } from '../node/slot.ts';
import { newProgress } from '../node/target.ts';
import { policyOf } from '../policy-of.ts';
import { ledgerNameOf, type Pool } from './pool.ts';
import { nextLedger, slotsOf } from './slots.ts';
import { isEnded, rolloutsOf } from './wanted.ts';

// Nodes come to another policy, by a label or since theirs was deleted. A slot is of one ledger: so a node changes policies only
// while it has none, and what it leaves behind is taken away.

/** Nodes handed over in one look, and marks taken off. */
const LIMIT = 100;

/** adoptingWrites takes the nodes of a policy over that are still under another, once they are at rest there. */
export function adoptingWrites(view: FleetView, policy: StoredPolicy, { members }: Pool): Write[] {
  return members
    .flatMap(({ node }) => {
      const update = view.nodeUpdates.get(node.name);
      if (!update || update.spec.nodeUid !== node.uid || update.spec.policy === policy.name) return [];
      return hasSlot(view, update) ? [] : [adoption(update, policy.name, view.nowMs)];
    })
    .slice(0, LIMIT);
}

/** Without a target: the policy chooses one. What the node failed on, and its last slot's name, stay. */
function adoption(update: StoredNodeUpdate, policy: string, nowMs: number): Write {
  const { progress = newProgress(nowMs), node } = update.status ?? {};
  const { reason: _1, nextTry: _2, retargetedAt: _3, ...kept } = progress;
  return {
    ...{ do: 'node-update', at: at(update), spec: { nodeUid: update.spec.nodeUid, policy } },
    status: {
      progress: { ...kept, phase: 'Idle', since: momentOf(nowMs), attempts: 0, escalated: false },
      ...(node && { node }),
    },
  };
}

/** Whether a node is in flight under its policy, or was given a slot there that it may still take up. */
function hasSlot(view: FleetView, update: StoredNodeUpdate): boolean {
  if (isInFlight(update.status?.progress?.phase ?? 'Idle')) return true;
  const ledger = view.ledgers.get(ledgerNameOf(policyOf(view, update.spec.policy)));
  return (ledger?.status?.entries ?? []).some(
    (entry) => entry.uid === update.spec.nodeUid && !isReleased(entry, update),
  );
}

/** unmarkingWrites take our mark of nodes to come off those that were marked for a policy and are no more of it. */
export function unmarkingWrites(view: FleetView, policyName: string, pool: Pool | undefined): Write[] {
  const members = new Set(pool?.members.map(({ node }) => node.uid));
  const isLeft = ({ uid, name, taints }: NodeView) => {
    if (members.has(uid) || !taints.some(({ key }) => key === OUTDATED_TAINT)) return false;
    const update = view.nodeUpdates.get(name);
    return update?.spec.policy === policyName && !isInFlight(update.status?.progress?.phase ?? 'Idle');
  };
  return [...view.nodes.values()]
    .filter((node) => isLeft(node))
    .slice(0, LIMIT)
    .map((node) => ({ do: 'untaint', at: at(node), key: OUTDATED_TAINT, effect: OUTDATED_EFFECT }));
}

/** farewellWrites clean up after a policy that was deleted: its rollouts end, slots that were given back go, and so do its marks. */
export function farewellWrites(view: FleetView, policyName: string): Write[] {
  const stopped = rolloutsOf(view, policyName).flatMap((rollout): Write[] => {
    const { status } = rollout;
    if (status === undefined || isEnded(rollout)) return [];
    const since = momentOf(view.nowMs);
    return [{ do: 'rollout-status', at: at(rollout), status: { ...status, phase: 'Stopped', since } }];
  });
  return [...stopped, ...slotWrites(view, policyName), ...unmarkingWrites(view, policyName, undefined)];
}

/** That of control planes is shared, and looked after by whichever policy of theirs is left. */
function slotWrites(view: FleetView, policyName: string): Write[] {
  const slots = slotsOf(view, policyOf(view, policyName));
  const status = slots.ledger && nextLedger(slots, [], '', view.nowMs);
  if (slots.ledger === undefined || status === undefined) return [];
  return [...slots.proofs, { do: 'ledger', at: at(slots.ledger), status }];
}
