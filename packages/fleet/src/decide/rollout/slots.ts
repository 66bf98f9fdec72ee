import { durationMs, type LedgerStatus, momentMs, momentOf } from '../../objects/index.ts';
import type { FleetView, StoredLedger, StoredNodeUpdate, StoredPolicy } from '../../view/view.ts';
import type { Write } from '../decision.ts';
import { at } from '../node/node-case.ts';
import { isReleased, type LedgerEntry } from '../node/slot.ts';
import { CONTROL_PLANE_LEDGER, ledgerNameOf, type Member, type Pool } from './pool.ts';
import { countedAfter, type Filled, filledOf, marksOf } from './replaced.ts';

/** Most entries that a ledger holds: etcd takes about 1.5 MB an object. */
const ENTRY_LIMIT = 5000;

/** A policy's ledger as it is looked at. */
export interface Slots {
  readonly ledger: StoredLedger | undefined;
  /** They hold a slot, and count. */
  readonly live: readonly LedgerEntry[];
  /** Nodes that cannot be reached any more for longer than lostAfter: they keep their entries and count on neither side. */
  readonly lost: readonly LedgerEntry[];
  /** Of those that are live, the ones whose Node is gone, which wait for another in its place. */
  readonly gone: readonly LedgerEntry[];
  readonly filled: readonly Filled[];
  /** Entries of nodes that are about to be replaced, with the mark they get. */
  readonly marks: readonly LedgerEntry[];
  /** They may go: the node gave the slot back, or there is no such Node any more (S14). */
  readonly over: readonly LedgerEntry[];
  /** What has to be so for that, and fails where it was only seen so: the watches of kinds are not of one moment. */
  readonly proofs: readonly Write[];
  /** Nodes in flight by the ledgers of others. */
  readonly elsewhere: number;
}

/**
 * slotsOf sorts the entries of a policy's ledger. An entry whose node says nothing holds its slot.
 * @param pool without it, no slot of a node that is replaced ends
 */
export function slotsOf(view: FleetView, policy: StoredPolicy, pool?: Pool): Slots {
  const name = ledgerNameOf(policy);
  const ledger = view.ledgers.get(name);
  const none = (): LedgerEntry[] => [];
  const sorted = { live: none(), lost: none(), over: none() };
  const proofs: Write[] = [];
  const lostAfterMs = durationMs(policy.spec.capacity.lostAfter);
  const entries = ledger?.status?.entries ?? [];
  const isGoneFrom = ({ node, uid }: LedgerEntry) => view.nodes.get(node)?.uid !== uid;
  // When the policy is gone nobody waits for replacements any more.
  const isAwaited = (entry: LedgerEntry) => entry.replaced !== undefined && view.policies.has(policy.name);
  const away = entries.filter((entry) => isGoneFrom(entry) && isAwaited(entry));
  const filled = filledOf(ledger, away, pool);
  const over = new Set(filled.map(({ entry }) => entry.uid));
  for (const entry of entries) {
    const update = view.nodeUpdates.get(entry.node);
    const progress = update?.status?.progress;
    const isOfNode = update?.spec.nodeUid === entry.uid;
    const isGone = isGoneFrom(entry);
    if (isGone && isAwaited(entry) && !over.has(entry.uid)) {
      sorted.live.push(entry);
      continue;
    }
    if (isGone) proofs.push({ do: 'prove-gone', node: entry.node, uid: entry.uid });
    if (isGone || (isOfNode && isReleased(entry, update))) sorted.over.push(entry);
    else if (isOfNode && isElsewhere(view, name, update)) {
      // It looks for its slot in another ledger now, and had none of this one when it went there.
      proofs.push({ do: 'node-update', at: at(update), spec: update.spec });
      sorted.over.push(entry);
    } else if (
      policy.spec.role === 'Worker' &&
      isOfNode &&
      progress?.phase === 'Unreachable' &&
      view.nowMs - momentMs(progress.since) >= lostAfterMs
    )
      sorted.lost.push(entry);
    else sorted.live.push(entry);
  }
  let elsewhere = 0;
  for (const other of view.ledgers.values())
    if (other.name !== name) elsewhere += other.status?.entries.length ?? 0;
  const gone = sorted.live.filter(isGoneFrom);
  return { ledger, ...sorted, gone, filled, marks: marksOf(view, policy, sorted.live), proofs, elsewhere };
}

/** Whether a node is under a policy with another ledger. */
function isElsewhere(view: FleetView, ledger: string, { spec }: StoredNodeUpdate): boolean {
  const policy = view.policies.get(spec.policy);
  return (policy ? ledgerNameOf(policy) : spec.policy) !== ledger && ledger !== CONTROL_PLANE_LEDGER;
}

/** The ledger without entries that are over and with those of nodes that were chosen; undefined: nothing changes. */
export function nextLedger(
  { ledger, live, lost, over, gone, filled, marks }: Slots,
  admitted: readonly Member[],
  rollout: string,
  nowMs: number,
): LedgerStatus | undefined {
  if (over.length + admitted.length + marks.length === 0) return undefined;
  // The moment is the slot's name: the compare-and-swap of the ledger makes sure that there is never one twice.
  // Later than any the node had, also by the ledger of another policy.
  const last = ledger?.status?.lastSince;
  const before = [last, ...admitted.map(({ progress }) => progress?.admittedAt)];
  const since = momentOf(Math.max(nowMs, ...before.flatMap((each) => (each ? [momentMs(each) + 1] : []))));
  const given = admitted.map(({ node, domain }) => ({
    ...{ node: node.name, uid: node.uid, rollout, domain, since },
  }));
  const lastSince = given.length > 0 ? since : last;
  const marked = new Map(marks.map((entry) => [entry.uid, entry]));
  const kept = [...live, ...lost].map((entry) => marked.get(entry.uid) ?? entry);
  const isAnyAwaited = gone.length > 0 || kept.some(({ replaced }) => replaced !== undefined);
  return {
    entries: [...kept, ...given].slice(0, ENTRY_LIMIT),
    epoch: (ledger?.status?.epoch ?? 0) + 1,
    ...countedAfter(ledger, filled, isAnyAwaited),
    ...(lastSince !== undefined && { lastSince }),
  };
}

/** Seconds that the slots of nodes which got through lasted, of those that are over now. */
export function slotTimes(view: FleetView, { over, filled }: Slots, rollout: string): number[] {
  const good = new Set(filled.flatMap(({ entry, by }) => (by.standing === 'done' ? [entry.uid] : [])));
  return over.flatMap((entry) => {
    if (entry.rollout === rollout && good.has(entry.uid))
      return [Math.max(0, Math.round((view.nowMs - momentMs(entry.since)) / 1000))];
    const progress = view.nodeUpdates.get(entry.node)?.status?.progress;
    const isThrough = progress?.phase === 'Soaking' || progress?.phase === 'Done';
    if (entry.rollout !== rollout || !isThrough || progress.admittedAt !== entry.since) return [];
    return [Math.max(0, Math.round((momentMs(progress.since) - momentMs(entry.since)) / 1000))];
  });
}
