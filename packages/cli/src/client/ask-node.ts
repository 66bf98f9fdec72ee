import type { NodeClient } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import { connectContext } from './connect-context.ts';
import type { NodeOptions } from './node-options.ts';

/** askNode connects to the node that is meant, asks, and hangs up. */
export async function askNode<T>(
  options: Pick<NodeOptions, 'context' | 'timeout'>,
  context: CommandContext,
  ask: (node: NodeClient) => Promise<T>,
): Promise<T> {
  using node = await connectContext(options.context, context.env, options.timeout * 1000);
  // Ctrl-C hangs up, which ends the call.
  const hangUp = () => node.close();
  context.signal.addEventListener('abort', hangUp, { once: true });
  try {
    return await ask(node);
  } finally {
    context.signal.removeEventListener('abort', hangUp);
  }
}
