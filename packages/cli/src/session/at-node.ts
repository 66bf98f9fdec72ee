import type { NodeClient } from '@plinth/api';
import { type AskOptions, askNode } from '../client/ask-node.ts';
import type { CommandContext } from '../framework/context.ts';
import { usageError } from '../framework/usage-error.ts';

/** Which node: that of the context, or another of its cluster by name. */
export type AtNodeOptions = AskOptions & { readonly nodeName: string | undefined };

/**
 * atNode asks one node. One that is named is reached by its own context, or through the node of the current context.
 * @throws cli/usage, cli/context-missing, api/…, and what `ask` throws
 */
export async function atNode<T>(
  { nodeName, ...options }: AtNodeOptions,
  context: CommandContext,
  ask: (node: NodeClient) => Promise<T>,
): Promise<T> {
  if (nodeName === undefined) return askNode(options, context, ask);
  if (!/^[^,\s]+$/.test(nodeName))
    throw usageError(`"${nodeName}" is not one node, expected a name as in "plinth get peers"`);
  const { onNodes } = await import('../client/many-nodes.ts');
  const meant = { ...options, nodes: nodeName, selector: undefined, allNodes: false };
  for await (const outcome of onNodes(meant, context, ask, Number.POSITIVE_INFINITY)) {
    if (outcome.ok) return outcome.value;
    throw outcome.error;
  }
  throw usageError(`"${nodeName}" means no node, expected a name as in "plinth get peers"`);
}
