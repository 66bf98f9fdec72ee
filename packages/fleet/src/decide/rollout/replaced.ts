import { durationMs, type LedgerStatus, momentMs, momentOf, type Reason } from '../../objects/index.ts';
import type { FleetView, StoredLedger, StoredPolicy } from '../../view/view.ts';
import type { LedgerEntry } from '../node/slot.ts';
import { selectsNode } from '../select.ts';
import { ledgerNameOf, type Member, type Pool } from './pool.ts';

// Nodes that their provider replaces. Their slot outlives their Node, else the pool would shrink by each one that goes; it ends when a
// Node came that was not there when it was marked. Which Node took whose place does not matter, only that each counts once.

/** A slot whose Node is gone, with the Node that came in its place. */
export interface Filled {
  readonly entry: LedgerEntry;
  readonly by: Member;
}

/** marksOf are the entries of nodes that are about to be replaced and are not marked yet, as they are to be. */
export function marksOf(view: FleetView, policy: StoredPolicy, live: readonly LedgerEntry[]): LedgerEntry[] {
  if (policy.spec.replace === undefined) return [];
  return live.flatMap((entry) => {
    const node = view.nodes.get(entry.node);
    const progress = view.nodeUpdates.get(entry.node)?.status?.progress;
    const isAsking = progress?.phase === 'Replacing' && progress.admittedAt === entry.since;
    if (entry.replaced !== undefined || !isAsking || node?.uid !== entry.uid) return [];
    const made = [...view.nodes.values()].filter(({ labels }) =>
      selectsNode(policy.spec.nodeSelector, labels),
    );
    // One that stood for a slot already may not be seen here yet.
    const last = view.ledgers.get(ledgerNameOf(policy))?.status?.lastReplacement;
    const after = Math.max(last ? momentMs(last) : 0, ...made.map(({ createdAtMs }) => createdAtMs || 0));
    const hardware = node.labels[policy.spec.hardwareClassKey] ?? '';
    return [{ ...entry, replaced: { since: momentOf(view.nowMs), after: momentOf(after), hardware } }];
  });
}

/**
 * filledOf gives each slot whose Node is gone a Node that came since, as far as there are: Ready, and known to run the release or another
 * one. Each stands for the slot that was marked last of those it may stand for, since fewest Nodes may stand for that one: whichever of
 * them is well first, none of the slots is left with only Nodes that were there when it was marked.
 */
export function filledOf(
  ledger: StoredLedger | undefined,
  gone: readonly LedgerEntry[],
  pool: Pool | undefined,
): Filled[] {
  const counted = new Set(ledger?.status?.replacements);
  const came = (pool?.members ?? [])
    .filter(({ node, isDown, report }) => !isDown && report !== undefined && !counted.has(node.uid))
    .filter(({ node }) => !(ledger?.status?.entries ?? []).some(({ uid }) => uid === node.uid))
    .sort((a, b) => a.node.createdAtMs - b.node.createdAtMs || (a.node.uid < b.node.uid ? -1 : 1));
  const filled: Filled[] = [];
  const order = (entry: LedgerEntry) => momentMs(entry.replaced?.after ?? '');
  const open = gone.toSorted((a, b) => order(b) - order(a));
  for (const by of came) {
    const at = open.findIndex((entry) => by.node.createdAtMs > order(entry));
    const [entry] = at < 0 ? [] : open.splice(at, 1);
    if (entry) filled.push({ entry, by });
  }
  return filled;
}

/** countedAfter are the Nodes that may fill no other slot, while any slot waits for one; and from when on a Node may fill one marked later. */
export function countedAfter(
  ledger: StoredLedger | undefined,
  filled: readonly Filled[],
  isAnyAwaited: boolean,
): Pick<LedgerStatus, 'replacements' | 'lastReplacement'> {
  const before = ledger?.status?.lastReplacement;
  const last = Math.max(before ? momentMs(before) : 0, ...filled.map(({ by }) => by.node.createdAtMs));
  const all = [...(ledger?.status?.replacements ?? []), ...filled.map(({ by }) => by.node.uid)];
  return {
    ...(isAnyAwaited && all.length > 0 && { replacements: all }),
    ...(last > 0 && { lastReplacement: momentOf(last) }),
  };
}

/** A replacement that went wrong; it counts as a failure of the rollout. */
export interface BadReplacement {
  readonly node: string;
  readonly reason: Reason;
}

/** badReplacements are nodes that came with another release than the rollout's, and those for which none came in time. */
export function badReplacements(
  view: FleetView,
  policy: StoredPolicy,
  rollout: string,
  { gone, filled }: { readonly gone: readonly LedgerEntry[]; readonly filled: readonly Filled[] },
): BadReplacement[] {
  const { replace } = policy.spec;
  if (replace === undefined) return [];
  const wrong = filled
    .filter(
      ({ entry, by }) => entry.rollout === rollout && by.standing !== 'done' && by.standing !== 'unknown',
    )
    .map(({ entry, by }) => ({
      node: by.node.name,
      reason: {
        code: 'node/replaced-otherwise',
        text: `it came in the place of ${entry.node} and runs ${by.report?.osVersion ?? 'another release'}: give its pool the release`,
      },
    }));
  const isFilled = new Set(filled.map(({ entry }) => entry.uid));
  const late = gone
    .filter(({ rollout: of, uid }) => of === rollout && !isFilled.has(uid))
    .filter(({ replaced }) => view.nowMs - momentMs(replaced?.since ?? '') >= durationMs(replace.timeout))
    .map(({ node }) => ({
      node,
      reason: { code: 'node/no-replacement', text: `no Node came in its place within ${replace.timeout}` },
    }));
  return [...wrong, ...late];
}
