import type { NodeClient } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { type NodeOutcome, onNodes } from './many-nodes.ts';
import { type ManyNodeOptions, wantsManyNodes } from './many-options.ts';
import { mergeResults } from './merge-results.ts';

/** What one node is shown with: the options of the command, and the node where there are several. */
export type OneNode<O> = O & { readonly node?: NodeClient };

/**
 * showOnNodes shows one node as `show` does, or several as one: each is asked at the same time, what succeeded is shown,
 * and what failed is listed (exit code 5). `show` passes its options on to askNode.
 * @throws what `show` throws for one node; for several see onNodes
 */
export async function showOnNodes<
  O extends ManyNodeOptions & { readonly context: string | undefined; readonly timeout: number },
>(
  options: O,
  context: CommandContext,
  show: (one: OneNode<O>) => Promise<CommandResult>,
): Promise<CommandResult> {
  if (!wantsManyNodes(options)) return show(options);
  const outcomes: NodeOutcome<CommandResult>[] = [];
  await context.progress.step('Ask the nodes', async (step) => {
    let failed = 0;
    for await (const outcome of onNodes(options, context, (node) => show({ ...options, node }))) {
      outcomes.push(outcome);
      if (!outcome.ok) failed++;
      step.note(`${outcomes.length} answered${failed > 0 ? `, ${failed} failed` : ''}`);
    }
  });
  return mergeResults(outcomes, context.style);
}
