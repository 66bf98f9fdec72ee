import { chooseContext } from '../client/choose-context.ts';
import { connectTo } from '../client/connect-context.ts';
import { contextsPath, readContexts } from '../client/contexts-file.ts';
import type { NodeOptions } from '../client/node-options.ts';
import { runDashboard } from '../dashboard/run-dashboard.ts';
import type { CommandContext } from '../framework/context.ts';
import { usageError } from '../framework/usage-error.ts';

/** showDashboard shows a node until the reader quits. @throws cli/usage without a terminal, cli/context-missing, cli/config-invalid */
export async function showDashboard(
  options: Pick<NodeOptions, 'context' | 'timeout'>,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  if (!terminal)
    throw usageError(
      'standard input and output are not both a terminal, expected one to draw on',
      'Use "plinth health" and "plinth get …" in scripts.',
    );
  const chosen = chooseContext(await readContexts(contextsPath(context.env)), options.context, context.env);
  using node = await connectTo(chosen.context, options.timeout * 1000);
  await context.suspendProgress(() =>
    runDashboard({
      ...{ node, terminal, style: context.style, signal: context.signal },
      context: chosen.name,
    }),
  );
  // A reader who quits has seen enough; a signal from outside is an interruption.
  context.signal.throwIfAborted();
}
