import type { CheckResult, Finding, Owner } from './finding.ts';
import { ownerText } from './finding.ts';
import { openFindings } from './summary.ts';

/** One workload to fix, in the order in which fixing helps most. */
export interface FixStep {
  readonly rank: number;
  readonly owner: Owner;
  readonly block: number;
  readonly warn: number;
  readonly unknown: number;
  readonly rules: readonly string[];
  /** Nodes that its blocking findings keep; null: all of them, and nobody said how many that is. */
  readonly nodes: number | null;
  readonly pods: number | null;
  /** Nodes on which nothing blocks any more once this and all before it are fixed; null when nodes are not known. */
  readonly freeNodes: number | null;
}

/** A workload with what blocks it. */
interface Candidate {
  readonly owner: Owner;
  readonly findings: readonly Finding[];
  readonly blocks: boolean;
  readonly nodes: readonly string[];
  readonly everywhere: boolean;
  readonly pods: number | null;
}

/** Steps that are chosen by what they free; the rest follows by how far each reaches. */
const MOST_WEIGHED = 100;

/**
 * simulateFixes ranks workloads by what their fix brings; pure. First comes what blocks; of that always the workload whose
 * fix frees most nodes, counting that a node is free only when all that blocks it is fixed, then the one on most nodes,
 * then the one with most pods.
 */
export function simulateFixes(result: CheckResult): FixStep[] {
  const left = candidatesOf(result).sort(byReach);
  const blockers = new Map<string, number>(result.nodes.map((node) => [node, 0]));
  for (const { blocks, nodes } of left)
    if (blocks) for (const node of nodes) blockers.set(node, (blockers.get(node) ?? 0) + 1);
  let free = [...blockers.values()].filter((count) => count === 0).length;
  const steps: FixStep[] = [];
  const fix = (next: Candidate) => {
    if (next.blocks)
      for (const node of next.nodes) {
        const count = (blockers.get(node) ?? 1) - 1;
        blockers.set(node, count);
        if (count === 0) free++;
      }
    steps.push({
      ...stepOf(next, steps.length + 1),
      freeNodes: result.nodes.length > 0 ? free : null,
    });
  };
  // To look at all for each step takes the square of their number; far down the list the order says little.
  while (steps.length < MOST_WEIGHED) {
    const next = bestOf(left, blockers);
    if (next === undefined) break;
    left.splice(left.indexOf(next), 1);
    fix(next);
  }
  for (const next of left) fix(next);
  return steps;
}

function candidatesOf(result: CheckResult): Candidate[] {
  const byOwner = new Map<string, Finding[]>();
  for (const finding of openFindings(result)) {
    if (finding.severity === 'info') continue;
    const key = ownerText(finding.owner);
    const list = byOwner.get(key);
    if (list) list.push(finding);
    else byOwner.set(key, [finding]);
  }
  return [...byOwner.values()].flatMap((findings): Candidate[] => {
    const [first] = findings;
    if (first === undefined) return [];
    const seen = new Set(findings.flatMap(({ nodes }) => nodes));
    const everywhere = findings.some(({ pods }) => pods === null);
    const pods = everywhere ? null : Math.max(...findings.map((each) => each.pods ?? 0));
    return [
      {
        owner: first.owner,
        findings,
        blocks: findings.some(({ severity }) => severity === 'block'),
        // A daemon of which no pod was seen is on all nodes.
        nodes: seen.size === 0 && everywhere ? result.nodes : [...seen],
        everywhere,
        pods,
      },
    ];
  });
}

/** How many nodes nothing else blocks. */
function freedBy({ blocks, nodes }: Candidate, blockers: ReadonlyMap<string, number>): number {
  return blocks ? nodes.filter((node) => blockers.get(node) === 1).length : 0;
}

/** What blocks first; then by nodes, pods, number of findings, name. */
function byReach(a: Candidate, b: Candidate): number {
  const reach = (one: Candidate): readonly number[] => [
    one.blocks ? 1 : 0,
    one.nodes.length > 0 ? one.nodes.length : one.everywhere ? Number.MAX_SAFE_INTEGER : 0,
    one.pods ?? Number.MAX_SAFE_INTEGER,
    one.findings.length,
  ];
  const [ofA, ofB] = [reach(a), reach(b)];
  for (const [i, value] of ofA.entries()) {
    const other = ofB[i] ?? 0;
    if (value !== other) return other - value;
  }
  return ownerText(a.owner) < ownerText(b.owner) ? -1 : 1;
}

/** The one that frees most nodes; of equals the one that stands first. */
function bestOf(sorted: readonly Candidate[], blockers: ReadonlyMap<string, number>): Candidate | undefined {
  let best: Candidate | undefined;
  let most = -1;
  for (const one of sorted) {
    if (best?.blocks && !one.blocks) break;
    const freed = freedBy(one, blockers);
    if (freed > most) [best, most] = [one, freed];
  }
  return best;
}

function stepOf(
  { owner, findings, nodes, everywhere, pods }: Candidate,
  rank: number,
): Omit<FixStep, 'freeNodes'> {
  const count = (severity: Finding['severity']) => findings.filter((one) => one.severity === severity).length;
  return {
    rank,
    owner,
    block: count('block'),
    warn: count('warn'),
    unknown: count('unknown'),
    rules: [...new Set(findings.map(({ rule }) => rule))].sort(),
    nodes: nodes.length > 0 ? nodes.length : everywhere ? null : 0,
    pods,
  };
}
