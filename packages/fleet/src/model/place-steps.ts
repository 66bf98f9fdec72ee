import type { Bounds, Leader, Ledger, Shown, State, Update } from './abstract.ts';
import { known, type Next, withLedger } from './change.ts';

// Slots that outlive their Nodes.

/** named is the ledger with another name of a node's slot; 0: it has none any more. */
export function named(ledger: Ledger, node: number, name: number): Ledger {
  const marks = name === 0 ? ledger.marks.with(node, -1) : ledger.marks;
  return { ...ledger, names: ledger.names.with(node, name), marks };
}

/**
 * A slot that outlives its Node is marked first, with the youngest Node that is known. It ends when its Node is gone and another came since,
 * which then counts for no other slot as long as any waits.
 */
export function* placeSteps(
  state: State,
  leader: Leader,
  node: number,
  update: Update,
  ledger: Ledger,
  { mutant }: Bounds,
): Generator<Next> {
  const seen = leader.nodes.map((each, index) => known<Shown>(each, state.nodes[index]));
  const youngest = Math.max(ledger.last, ...seen.map((each) => each?.uid ?? 0));
  const mark = ledger.marks[node] ?? -1;
  if (mark < 0 && update.phase === 'Replacing' && update.admitted === ledger.names[node])
    yield [
      `marks the slot of node ${node}`,
      withLedger(state, { ...state.ledger, marks: state.ledger.marks.with(node, youngest) }),
    ];
  const own = seen[node];
  if (mark < 0 || !own || !(own.isGone || own.uid > mark)) return;
  if (mutant === 'ends-with-node')
    return yield [
      `ends the slot of node ${node}, which is gone`,
      withLedger(state, named(state.ledger, node, 0)),
    ];
  const isGoneFrom = (index: number) => {
    const mark = ledger.marks[index] ?? -1;
    const each = seen[index];
    return mark >= 0 && each !== undefined && (each.isGone || each.uid > mark);
  };
  for (const filler of seen) {
    if (filler === undefined || filler.isGone || filler.uid <= mark) continue;
    if (ledger.counted.includes(filler.uid) && mutant !== 'counts-twice') continue;
    // Of several slots it may stand for, the one that fewest may: which of those that came are well first is not known.
    const open = ledger.marks.filter((each, index) => isGoneFrom(index) && each < filler.uid);
    if (mark < Math.max(...open)) continue;
    const ended = named(state.ledger, node, 0);
    const isAnyAwaited = ended.marks.some((each) => each >= 0);
    const counted = [...ended.counted, filler.uid].toSorted((a, b) => a - b);
    yield [
      `ends the slot of node ${node}: another came`,
      withLedger(state, {
        ...{ ...ended, counted: isAnyAwaited ? counted : [] },
        last: Math.max(ended.last, filler.uid),
      }),
    ];
  }
}

/** ownName is the slot of the Node that is seen: a slot of the Node that was there before is none of the one that came. */
export function ownName(ledger: Ledger | undefined, shown: Shown, node: number): number {
  const mark = ledger?.marks[node] ?? -1;
  const isOwn = !shown.isGone && (mark < 0 || shown.uid <= mark);
  return isOwn ? (ledger?.names[node] ?? 0) : 0;
}

/** What becomes of a node that is to be replaced: its place is known to be kept before anything is deleted, and then it is not given back. */
export function* replaceSteps(
  state: State,
  leader: Leader,
  node: number,
  update: Update,
  { mutant, leaders }: Bounds,
  does: {
    write(change: Partial<Update>): State | undefined;
    begin(what: 'delete'): State | undefined;
  },
): Generator<[string, State | undefined]> {
  const ledger = known<Ledger>(leader.ledger, state.ledger);
  const isMarked = (ledger?.marks[node] ?? -1) >= 0 && ledger?.names[node] === update.admitted;
  const isLeaving = state.machines[node]?.isLeaving === true;
  if (!update.isKept || mutant === 'gives-up-late')
    yield [`gives up ${node}`, does.write({ phase: 'Yielding' })];
  if (!update.isKept && isMarked) yield [`knows the place of ${node} kept`, does.write({ isKept: true })];
  const mayDelete = update.isKept || mutant === 'deletes-unmarked';
  if (mayDelete && !isLeaving && leader.nodes[node] === 'now')
    yield [`fence, then delete the Machine of ${node}`, does.begin('delete')];
  // Nobody deletes it meanwhile, by the word of the provider.
  if (update.isKept && !isLeaving && leaders === 1)
    yield [`keeps ${node}`, does.write({ phase: 'Yielding' })];
}
