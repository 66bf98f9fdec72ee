import type { NodeClient } from '@plinth/api';
import { askNode } from '../client/ask-node.ts';
import type { OneNodeOptions } from '../client/node-options.ts';
import type { CommandContext } from '../framework/context.ts';
import { usageError } from '../framework/usage-error.ts';

/**
 * atNode asks one node. One that is named is reached by its own context, or through the node of the current context.
 * @throws cli/usage, cli/context-missing, api/…, and what `ask` throws
 */
export async function atNode<T>(
  { node: name, ...options }: OneNodeOptions,
  context: CommandContext,
  ask: (node: NodeClient) => Promise<T>,
): Promise<T> {
  if (name === undefined) return askNode(options, context, ask);
  if (!/^[^,\s]+$/.test(name))
    throw usageError(`"${name}" is not one node, expected a name as in "plinth get peers"`);
  const { onNodes } = await import('../client/many-nodes.ts');
  const meant = { ...options, nodes: name, selector: undefined, allNodes: false };
  for await (const outcome of onNodes(meant, context, ask, Number.POSITIVE_INFINITY)) {
    if (outcome.ok) return outcome.value;
    throw outcome.error;
  }
  throw usageError(`"${name}" means no node, expected a name as in "plinth get peers"`);
}
