import {
  durationMs,
  momentMs,
  type NodeProgress,
  type NodeReport,
  type Target,
} from '../../objects/index.ts';
import type { FleetView, NodeView, StoredLedger, StoredNodeUpdate, StoredPolicy } from '../../view/view.ts';
import { orderHash } from '../count.ts';
import { HOLD_LABEL } from '../decision.ts';
import { actOf } from '../node/acting.ts';
import { isInFlight } from '../node/phases.ts';
import { reportOf } from '../node/report.ts';
import { hasUpdateTaint, isReleased, type LedgerEntry } from '../node/slot.ts';
import { deniedReason, isAtTarget } from '../node/target.ts';
import { selectsNode } from '../select.ts';
import { hasEdge } from './edges.ts';

/**
 * Where a node stands for a rollout:
 * done – runs the release, and is good; soaking – runs it, is still watched; in-flight – has a slot;
 * staged – may be given a slot; backing-off – was, and gave it back, not yet again, or plinthd is at an act; waiting – has to stage first;
 * denied – failed on the release; held – a person's label; no-way – the release may not be reached from what it runs;
 * unknown – did not say yet what it runs; lost – gone for longer than the policy waits.
 */
export type Standing =
  | 'done'
  | 'soaking'
  | 'in-flight'
  | 'staged'
  | 'backing-off'
  | 'waiting'
  | 'denied'
  | 'held'
  | 'no-way'
  | 'unknown'
  | 'lost';

/** One node of a policy, with all that is decided by. */
export interface Member {
  readonly node: NodeView;
  /** Absent where there is none of this very Node, under this policy, yet. */
  readonly update: StoredNodeUpdate | undefined;
  readonly progress: NodeProgress | undefined;
  readonly report: NodeReport | undefined;
  readonly domain: string;
  readonly hardware: string;
  readonly standing: Standing;
  /** Out of service, and not because of us. */
  readonly isDown: boolean;
  /** Its place among equals: another in each rollout. */
  readonly hash: number;
}

/** The nodes of a policy. */
export interface Pool {
  readonly policy: StoredPolicy;
  readonly members: readonly Member[];
  /** Nodes that another policy selects too: nobody touches them. */
  readonly conflicts: readonly { readonly node: string; readonly policy: string }[];
}

/** Taints of those who are about to take a node away. */
const LEAVING_TAINTS = new Set([
  'ToBeDeletedByClusterAutoscaler',
  'karpenter.sh/disrupted',
  'karpenter.sh/disruption',
  'node.kubernetes.io/out-of-service',
]);

/** One ledger is shared by all policies of control planes, so "one at a time over all of them" is one compare-and-swap. */
export const CONTROL_PLANE_LEDGER = 'control-planes.fleet.plinth.dev';

/** The name of the ledger in which a policy's nodes get their slots. */
export function ledgerNameOf(policy: StoredPolicy): string {
  return policy.spec.role === 'ControlPlane' ? CONTROL_PLANE_LEDGER : policy.name;
}

/** The nodes a policy selects, and that no other does, as they stand for a target (undefined: nothing is wanted). */
export function poolOf(view: FleetView, policy: StoredPolicy, target: Target | undefined): Pool {
  const others = [...view.policies.values()].filter(({ name }) => name !== policy.name);
  const entries = entriesByUid(view.ledgers.get(ledgerNameOf(policy)));
  const members: Member[] = [];
  const conflicts: { node: string; policy: string }[] = [];
  const { topology, hardwareClassKey, capacity } = policy.spec;
  const lostAfterMs = durationMs(capacity.lostAfter);
  const salt = target?.rollout ?? policy.name;
  // One that is replaced is not upgraded from anything.
  const isReplaced = policy.spec.replace !== undefined;
  const upgradeFrom = isReplaced
    ? undefined
    : ((target && view.releases.get(target.release)?.spec.upgradeFrom) ?? []);
  for (const node of view.nodes.values()) {
    if (!selectsNode(policy.spec.nodeSelector, node.labels)) continue;
    const other = others.find(({ spec }) => selectsNode(spec.nodeSelector, node.labels));
    if (other !== undefined) {
      conflicts.push({ node: node.name, policy: other.name });
      continue;
    }
    const found = view.nodeUpdates.get(node.name);
    const own = found?.spec.nodeUid === node.uid ? found : undefined;
    // One that is under another policy yet is handed over when it has no slot there; what it is at there takes it away from here.
    const update = own?.spec.policy === policy.name ? own : undefined;
    const isAway = own !== update && isInFlight(own?.status?.progress?.phase ?? 'Idle');
    const entry = entries.get(node.uid);
    const slot = entry !== undefined && !(update && isReleased(entry, update)) ? entry : undefined;
    const known = {
      node,
      update,
      progress: update?.status?.progress,
      report: update && reportOf(view, update),
      domain: node.labels[topology.key] ?? '',
      hardware: node.labels[hardwareClassKey] ?? '',
      isDown: slot === undefined && (isAway || isDown(node)),
      hash: orderHash(`${salt}/${node.uid}`),
    };
    const isLost = isGone(known, slot, view.nowMs, lostAfterMs, policy.spec.role === 'ControlPlane');
    const standing = isLost ? 'lost' : standingOf(known, slot, target, upgradeFrom, view.nowMs);
    members.push({ ...known, standing });
  }
  return { policy, members, conflicts };
}

/** The entries of a ledger by the UID of the Node object they are for. */
function entriesByUid(ledger: StoredLedger | undefined): ReadonlyMap<string, LedgerEntry> {
  return new Map((ledger?.status?.entries ?? []).map((entry) => [entry.uid, entry]));
}

function isDown(node: NodeView): boolean {
  return (
    !node.isReady ||
    node.isUnschedulable ||
    node.isDeleting ||
    hasUpdateTaint(node) ||
    node.taints.some(({ key }) => LEAVING_TAINTS.has(key))
  );
}

/**
 * Dead for so long that it counts on neither side of the capacity. A control plane never is: it is a voter still.
 * A node of ours has to be Unreachable for that long, so one that is only slow stays counted.
 */
function isGone(
  { node, progress }: Pick<Member, 'node' | 'progress'>,
  slot: LedgerEntry | undefined,
  nowMs: number,
  lostAfterMs: number,
  isControlPlane: boolean,
): boolean {
  if (isControlPlane) return false;
  if (slot !== undefined)
    return progress?.phase === 'Unreachable' && nowMs - momentMs(progress.since) >= lostAfterMs;
  return !node.isReady && nowMs - node.readySinceMs >= lostAfterMs;
}

function standingOf(
  { node, update, progress, report }: Pick<Member, 'node' | 'update' | 'progress' | 'report'>,
  slot: LedgerEntry | undefined,
  target: Target | undefined,
  upgradeFrom: readonly string[] | undefined,
  nowMs: number,
): Standing {
  // The ledger and the NodeUpdate come by different watches: whichever says so first is believed.
  if (slot !== undefined || (progress !== undefined && isInFlight(progress.phase))) return 'in-flight';
  if (target === undefined || update === undefined || report === undefined) return 'unknown';
  if (deniedReason(progress, target.release) !== undefined) return 'denied';
  if (isAtTarget(target, report, node)) return progress?.phase === 'Soaking' ? 'soaking' : 'done';
  if (progress?.phase === 'Quarantined' && update.spec.target?.release === target.release) return 'denied';
  if (HOLD_LABEL in node.labels) return 'held';
  if (upgradeFrom !== undefined && target.osVersion !== '' && report.osRootHash !== target.osRootHash) {
    if (!hasEdge(report.osVersion, upgradeFrom)) return 'no-way';
    if (report.blockedVersions.includes(target.osVersion)) return 'no-way';
  }
  if (progress?.phase !== 'Staged' || !isSameTarget(update.spec.target, target)) return 'waiting';
  const isLater = progress.nextTry !== undefined && momentMs(progress.nextTry) > nowMs;
  return isLater || actOf(report) ? 'backing-off' : 'staged';
}

/** Whether a node can still be brought to the release by us. */
export function isToDo({ standing }: Member): boolean {
  return ['waiting', 'staged', 'backing-off', 'unknown', 'in-flight'].includes(standing);
}

/** Whether a node was given this very target, lane included. */
function isSameTarget(a: Target | undefined, b: Target): boolean {
  return a !== undefined && a.release === b.release && a.rollout === b.rollout && a.lane === b.lane;
}
