import { type Bounds, begin, brokenRule, isFinished, type State } from './abstract.ts';
import { canonical, keyOf } from './canonical.ts';
import { nextStates } from './steps.ts';

/** What looking at every state came to. */
export interface Exploration {
  readonly states: number;
  readonly steps: number;
  /** The longest of the shortest ways to a state. */
  readonly depth: number;
  readonly violation: { readonly rule: string; readonly way: readonly string[] } | undefined;
  /** States from which the end cannot be reached any more; undefined: not asked, or not all states were looked at. */
  readonly stuck: number | undefined;
  /** Not all states were looked at. */
  readonly isCut: boolean;
}

export interface ExploreOptions {
  /** Most states to keep; beyond it the search is cut. */
  readonly limit: number;
  /** Also count states from which the end is out of reach (L4). */
  readonly asksEnd: boolean;
}

/**
 * explore looks at every state that any order of steps reaches, nearest first, until a rule is broken: so the way shown is a
 * shortest one. It keeps a state's key, and how it was reached.
 */
export function explore(bounds: Bounds, { limit, asksEnd }: ExploreOptions): Exploration {
  const first = canonical(begin(bounds));
  const numbers = new Map<string, number>([[keyOf(first), 0]]);
  const cameFrom: number[] = [-1];
  const labels: string[] = [''];
  const edges: number[] = [];
  const ends: number[] = [];
  let layer: [number, State][] = [[0, first]];
  let depth = 0;
  let steps = 0;
  const wayTo = (number: number): string[] => {
    const way: string[] = [];
    for (let at = number; at > 0; at = cameFrom[at] ?? -1) way.push(labels[at] ?? '');
    return way.reverse();
  };
  const outcome = (violation?: Exploration['violation'], isCut = false): Exploration => ({
    ...{ states: numbers.size, steps, depth, violation, isCut },
    stuck: asksEnd && !isCut && !violation ? stuckCount(numbers.size, edges, ends) : undefined,
  });
  while (layer.length > 0) {
    const coming: [number, State][] = [];
    for (const [number, state] of layer) {
      if (isFinished(state)) ends.push(number);
      for (const [label, next] of nextStates(state, bounds)) {
        steps += 1;
        const found = canonical(next);
        const key = keyOf(found);
        let at = numbers.get(key);
        if (at === undefined) {
          at = numbers.size;
          numbers.set(key, at);
          cameFrom.push(number);
          labels.push(label);
          const rule = brokenRule(found, bounds);
          if (rule !== '') return outcome({ rule, way: wayTo(at) });
          if (numbers.size >= limit) return outcome(undefined, true);
          coming.push([at, found]);
        }
        if (asksEnd) edges.push(number, at);
      }
    }
    layer = coming;
    if (coming.length > 0) depth += 1;
  }
  return outcome();
}

/** Goes back along all steps from the states at the end, and counts those that were not met. */
function stuckCount(states: number, edges: readonly number[], ends: readonly number[]): number {
  const before: number[][] = Array.from({ length: states }, () => []);
  for (let at = 0; at < edges.length; at += 2) before[edges[at + 1] ?? 0]?.push(edges[at] ?? 0);
  const met = new Set(ends);
  const open = [...ends];
  for (let at = open.pop(); at !== undefined; at = open.pop())
    for (const each of before[at] ?? [])
      if (!met.has(each)) {
        met.add(each);
        open.push(each);
      }
  return states - met.size;
}
