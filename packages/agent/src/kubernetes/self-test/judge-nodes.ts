import { type SelfTestStep, UNTESTED_TAINT } from './self-test-pod.ts';

export interface Taint {
  readonly key: string;
  readonly effect: string;
  readonly value?: string | undefined;
  readonly timeAdded?: string | undefined;
}

/** A node as the cluster has it. */
export interface TestedNode {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly taints: readonly Taint[];
  readonly ready: boolean;
}

/** A self-test that was begun. */
export interface SelfTest {
  readonly podName: string;
  readonly nodeName: string;
  readonly nodeUid: string;
  readonly state: 'running' | 'passed' | 'failed';
  /** The step that failed; undefined when the pod was ended as a whole. */
  readonly failedStep?: SelfTestStep | undefined;
  /** Why, for people. */
  readonly reason?: string | undefined;
  /** When it ended, undefined while it runs. */
  readonly endedAtMs?: number | undefined;
}

/** What to do next for the nodes of a cluster. */
export type SelfTestAction =
  | { readonly kind: 'start'; readonly node: TestedNode }
  | { readonly kind: 'admit'; readonly node: TestedNode; readonly remaining: readonly Taint[] }
  | { readonly kind: 'report'; readonly node: TestedNode; readonly test: SelfTest }
  | { readonly kind: 'clear'; readonly podName: string };

/** A node that failed is tried again: what it lacked may have come. */
export const RETRY_AFTER_MS = 20_000;

/**
 * judgeNodes decides what to do: test each node that is ready and not tested yet, admit the one that passed, report and
 * later repeat what failed, clear what nobody needs. Pure. A node is admitted only by a test of this very node (its
 * UID): a machine that was made anew under an old name is tested anew.
 */
export function judgeNodes(
  nodes: readonly TestedNode[],
  tests: readonly SelfTest[],
  nowMs: number,
): SelfTestAction[] {
  const untested = new Map(nodes.filter(isUntested).map((node) => [node.name, node]));
  const actions = tests.flatMap((test): SelfTestAction[] => {
    const node = untested.get(test.nodeName);
    if (node?.uid !== test.nodeUid) return [{ kind: 'clear', podName: test.podName }];
    if (test.state === 'passed') {
      const remaining = node.taints.filter(({ key }) => key !== UNTESTED_TAINT.key);
      return [{ kind: 'admit', node, remaining }];
    }
    if (test.state === 'running') return [];
    const isDue = nowMs - (test.endedAtMs ?? nowMs) >= RETRY_AFTER_MS;
    return [isDue ? { kind: 'clear', podName: test.podName } : { kind: 'report', node, test }];
  });
  const tried = new Set(tests.map(({ nodeName }) => nodeName));
  const due = [...untested.values()].filter(({ name, ready }) => ready && !tried.has(name));
  return [...actions, ...due.map((node): SelfTestAction => ({ kind: 'start', node }))];
}

/** isUntested tells whether a node still waits for its self-test. */
export function isUntested({ taints }: Pick<TestedNode, 'taints'>): boolean {
  return taints.some(({ key }) => key === UNTESTED_TAINT.key);
}
