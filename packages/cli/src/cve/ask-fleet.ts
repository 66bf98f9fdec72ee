import type { NodeState } from '@plinth/advisory';
import { type NodeOutcome, onNodes } from '../client/many-nodes.ts';
import { type ManyNodeOptions, wantsManyNodes } from '../client/many-options.ts';
import { meantNode } from '../flows/node-acts.ts';
import type { CommandContext } from '../framework/context.ts';
import { askNodeState } from './ask-node-state.ts';

export type AskFleetOptions = ManyNodeOptions & {
  readonly context: string | undefined;
  /** Seconds. */
  readonly timeout: number;
};

/**
 * askFleet asks the nodes that are meant what they run, all at the same time; one that does not answer is part of the
 * answer. @throws cli/usage, cli/context-missing, api/… before the first node when it cannot be told who is meant
 */
export async function askFleet(
  options: AskFleetOptions,
  context: CommandContext,
): Promise<NodeOutcome<NodeState>[]> {
  const nodes = wantsManyNodes(options) ? options.nodes : await meantNode(options.context, context);
  const outcomes: NodeOutcome<NodeState>[] = [];
  await context.progress.step('Ask the nodes', async (step) => {
    let failed = 0;
    for await (const outcome of onNodes({ ...options, nodes }, context, askNodeState)) {
      outcomes.push(outcome);
      if (!outcome.ok) failed++;
      step.note(`${outcomes.length} answered${failed > 0 ? `, ${failed} failed` : ''}`);
    }
  });
  return outcomes.sort((a, b) => (a.node < b.node ? -1 : 1));
}
