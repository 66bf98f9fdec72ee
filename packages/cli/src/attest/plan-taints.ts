/** What attestation came to for a node; "unknown" when it could not be asked. */
export type NodeVerdict = 'pass' | 'fail' | 'unknown';

/** A node of Kubernetes, as far as its taint goes. */
export interface TaintedNode {
  readonly name: string;
  /** Whether it has the taint of attestation now. */
  readonly tainted: boolean;
  /** When it got it; absent where that is not known. */
  readonly taintedAtMs?: number;
}

/** What is to be done to the taints of a cluster. */
export interface TaintPlan {
  readonly taint: readonly string[];
  readonly untaint: readonly string[];
  /** They fail, and are left as they are: too many would be closed at once. */
  readonly withheld: readonly string[];
}

/** Within it a third of the nodes that may be closed at all are. */
const PACE_MS = 10 * 60_000;
const PACE_PART = 3;

/**
 * planTaints decides which nodes take no new pods. A pass opens a node; only a fail closes one, for a node that does not
 * answer may have no more than a bad line. Never are more than a share of all nodes closed by it at the same time: when
 * everything fails at once, the reference values are as likely to be wrong as the nodes. And never are more than a third of
 * that share closed within ten minutes, whoever did it: time for a person to look.
 * @param mostShare of all nodes, 0 to 1; one node may be closed whatever it is
 */
export function planTaints(
  nodes: readonly TaintedNode[],
  verdicts: ReadonlyMap<string, NodeVerdict>,
  mostShare: number,
  nowMs: number,
): TaintPlan {
  const verdictOf = ({ name }: TaintedNode) => verdicts.get(name) ?? 'unknown';
  const names = (some: readonly TaintedNode[]) => some.map(({ name }) => name).sort();
  const untaint = nodes.filter((node) => node.tainted && verdictOf(node) === 'pass');
  const staying = nodes.filter((node) => node.tainted && verdictOf(node) !== 'pass');
  const failing = names(nodes.filter((node) => !node.tainted && verdictOf(node) === 'fail'));
  const most = Math.max(1, Math.floor(nodes.length * mostShare));
  const lately = nodes.filter(({ tainted, taintedAtMs }) => tainted && nowMs - (taintedAtMs ?? 0) < PACE_MS);
  const pace = Math.max(0, Math.max(1, Math.floor(most / PACE_PART)) - lately.length);
  const room = Math.min(pace, Math.max(0, most - staying.length));
  return { taint: failing.slice(0, room), untaint: names(untaint), withheld: failing.slice(room) };
}
