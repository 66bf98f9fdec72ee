import type { NodeClient } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import { flag, integer, text, type ValuesOf } from '../framework/options.ts';
import { connectContext } from './connect-context.ts';

/** Options of every command that asks a node. */
export const nodeOptions = {
  context: text('NAME', 'Which node; default: $PLINTH_CONTEXT, else the current context'),
  timeout: integer('SECONDS', { min: 1, max: 600, fallback: 20 }, 'Bound on reaching it, and on its answer'),
  exitCode: flag('End with 3 unless every verdict is "pass"'),
} as const;

/** askNode connects to the node that is meant, asks, and hangs up. */
export async function askNode<T>(
  options: ValuesOf<typeof nodeOptions>,
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
