import type { NodeClient } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { NodeOptions } from './node-options.ts';

/** Which node: that of the context, or one that is connected already and stays so; see showOnNodes. */
export type AskOptions = Pick<NodeOptions, 'context' | 'timeout' | 'node'>;

/** askNode connects to the node that is meant, asks, and hangs up. */
export async function askNode<T>(
  options: AskOptions,
  context: CommandContext,
  ask: (node: NodeClient) => Promise<T>,
): Promise<T> {
  if (options.node) return ask(options.node);
  // The client is large, and most commands import this file only to be listed.
  const { connectContext } = await import('./connect-context.ts');
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
