import type { NodeClient } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { renderBlocks } from '../output/blocks.ts';
import { jsonLine } from '../output/printable.ts';
import { chooseContext } from './choose-context.ts';
import { connectTo } from './connect-context.ts';
import { contextsPath, readContexts } from './contexts-file.ts';
import { type OnNodesOptions, streamFromNodes } from './many-nodes.ts';
import { wantsManyNodes } from './many-options.ts';
import { exitOfNodes, failureData, failures } from './merge-results.ts';

/** A stream of one or several nodes, written as it comes. */
export interface NodeStream<T> {
  open(node: NodeClient): AsyncIterable<T>;
  /** Text of an item, lines with their ends. `many` says that the node's name belongs on each line. */
  render(item: T, node: string, many: boolean): string;
}

/**
 * writeNodeStream writes what one or several nodes send. Ctrl-C is the usual end of what is followed and no failure.
 * Nodes that fail are told of at the end, and the others go on (exit code 5).
 * @throws api/… when the only node fails; cli/usage, cli/context-missing
 */
export async function writeNodeStream<T>(
  options: OnNodesOptions,
  context: CommandContext,
  stream: NodeStream<T>,
): Promise<CommandResult | undefined> {
  try {
    return await context.suspendProgress(() =>
      wantsManyNodes(options) ? writeMany(options, context, stream) : writeOne(options, context, stream),
    );
  } catch (reason) {
    if (context.signal.aborted) return undefined;
    throw reason;
  }
}

async function writeOne<T>(
  options: OnNodesOptions,
  { env, signal, writeOut }: CommandContext,
  stream: NodeStream<T>,
): Promise<undefined> {
  const chosen = chooseContext(await readContexts(contextsPath(env)), options.context, env);
  using node = await connectTo(chosen.context, options.timeout * 1000);
  const hangUp = () => node.close();
  signal.addEventListener('abort', hangUp, { once: true });
  try {
    for await (const item of stream.open(node)) writeOut(stream.render(item, chosen.name, false));
  } finally {
    signal.removeEventListener('abort', hangUp);
  }
}

async function writeMany<T>(
  options: OnNodesOptions,
  context: CommandContext,
  stream: NodeStream<T>,
): Promise<CommandResult | undefined> {
  const bad: { readonly node: string; readonly error: Parameters<typeof failureData>[0] }[] = [];
  const heard = new Set<string>();
  for await (const outcome of streamFromNodes(options, context, (node) => stream.open(node))) {
    const { node } = outcome;
    if (outcome.ok) {
      heard.add(node);
      context.writeOut(stream.render(outcome.value, node, true));
      continue;
    }
    bad.push(outcome);
    if (context.format === 'json') context.writeOut(jsonLine({ node, error: failureData(outcome.error) }));
  }
  if (bad.length === 0) return undefined;
  if (context.format !== 'json')
    context.say(renderBlocks(failures(bad, context.style), { wide: false, style: context.style }).trimEnd());
  const exitCode = exitOfNodes(
    heard.size,
    bad.map(({ error }) => error),
  );
  return { data: undefined, view: [], passedExitCode: exitCode };
}
