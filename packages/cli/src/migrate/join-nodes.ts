import {
  type CheckResult,
  joinObserved,
  loadObservedRules,
  type NodeObservation,
  type watchWorkloads,
} from '@plinth/advisor';
import { type Diagnostic, exitCodes, PlinthError } from '@plinth/base';
import type { CommandContext } from '../framework/context.ts';
import { usageError } from '../framework/usage-error.ts';

const REACH_SECONDS = 20;
/** Bound on one node: some hundred logs, one after the other. */
const NODE_LIMIT_MS = 180_000;

/**
 * joinNodes asks nodes what they refused and joins it with what the rules found. A node that cannot be asked is a problem
 * of the result, which is then not whole. @param nodes names separated by commas, or "all"
 * @throws cli/usage, cli/context-missing when a node is meant that nobody knows
 */
export async function joinNodes(
  result: CheckResult,
  workloads: ReturnType<ReturnType<typeof watchWorkloads>['workloads']>,
  nodes: string,
  context: CommandContext,
): Promise<CheckResult> {
  const allNodes = nodes === 'all';
  if (!allNodes && nodes.split(',').every((name) => name.trim() === ''))
    throw usageError(`value of --observed is "${nodes}", expected names of nodes, or "all"`);
  // The client is large, and most checks need none.
  const [{ onNodes }, { observeNode, unknownNode }] = await Promise.all([
    import('../client/many-nodes.ts'),
    import('./ask-observed.ts'),
  ]);
  const options = {
    ...{ allNodes, selector: undefined, context: undefined, timeout: REACH_SECONDS },
    nodes: allNodes ? undefined : nodes,
  };
  const observations: NodeObservation[] = [];
  const problems: Diagnostic[] = [];
  await context.progress.step('Read what nodes refused', async (step) => {
    try {
      for await (const outcome of onNodes(options, context, observeNode, NODE_LIMIT_MS)) {
        if (outcome.ok) observations.push(outcome.value);
        else problems.push(unknownNode(outcome.node, outcome.error));
        step.note(`${observations.length + problems.length} answered`);
      }
    } catch (reason) {
      // Nobody can say which nodes there are: what they refused is unknown, and what was checked still holds.
      const isWrongUse = reason instanceof PlinthError && reason.exitCode === exitCodes.usage;
      if (context.signal.aborted || isWrongUse || !(reason instanceof PlinthError)) throw reason;
      problems.push(unknownNode(nodes, reason));
    }
  });
  const sorted = observations.toSorted((a, b) => (a.node < b.node ? -1 : 1));
  const joined = joinObserved(result, sorted, workloads, await loadObservedRules());
  return { ...joined, problems: [...joined.problems, ...problems] };
}
