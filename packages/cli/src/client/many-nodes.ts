import type { NodeClient } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import type { CommandContext } from '../framework/context.ts';
import type { ManyNodeOptions } from './many-options.ts';
import { findNodes, type MeantNode } from './meant-nodes.ts';
import { openChannel, openPlaces, type Places, yieldAsTheyCome } from './merge-work.ts';

/** What came of asking one node. */
export type NodeOutcome<T> =
  | { readonly node: string; readonly ok: true; readonly value: T }
  | { readonly node: string; readonly ok: false; readonly error: PlinthError };

/** Which nodes, and how long each may take. */
export type OnNodesOptions = ManyNodeOptions & {
  readonly context: string | undefined;
  /** Seconds. */
  readonly timeout: number;
};

/** Nodes dialled at the same time; one of them that does not answer costs the others nothing else. */
const DIRECT_AT_ONCE = 64;
/** Tunnels through one node, which gives a client 16. */
const TUNNELS_AT_ONCE = 12;

/**
 * onNodes asks several nodes at the same time and gives what came of each as it comes, so that a slow one holds nobody.
 * A failure belongs to its node. Each has `timeout` seconds in all, counted from its own begin.
 * @param limitMs another bound on each node; Infinity for work that has bounds of its own
 * @throws cli/usage, cli/context-missing, api/… before the first node when it cannot be told who is meant
 */
export async function* onNodes<T>(
  options: OnNodesOptions,
  context: Pick<CommandContext, 'env' | 'signal'>,
  work: (node: NodeClient, name: string) => Promise<T>,
  limitMs: number = options.timeout * 1000,
): AsyncGenerator<NodeOutcome<T>> {
  using meant = await findNodes(options, context);
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, context.signal]);
  const direct = openPlaces(DIRECT_AT_ONCE);
  const tunnels = openPlaces(TUNNELS_AT_ONCE);
  const ask = async (one: MeantNode, places: Places): Promise<NodeOutcome<T>> => {
    const free = await places.take();
    try {
      signal.throwIfAborted();
      const value = await withNode(() => meant.connect(one, options.timeout * 1000), {
        ...{ name: one.name, limitMs, signal },
        work: (node) => work(node, one.name),
      });
      return { node: one.name, ok: true, value };
    } catch (reason) {
      const error = PlinthError.from(reason, 'api/failed', `Cannot ask node ${one.name}`);
      return { node: one.name, ok: false, error };
    } finally {
      free();
    }
  };
  try {
    yield* yieldAsTheyCome(meant.nodes.map((one) => ask(one, one.kind === 'peer' ? tunnels : direct)));
    context.signal.throwIfAborted();
  } finally {
    stop.abort();
  }
}

/**
 * streamFromNodes merges streams of several nodes, each item with its node's name, in the order they come. A stream that
 * breaks is one item, `ok` false, and the others go on. Errors: see onNodes.
 */
export async function* streamFromNodes<T>(
  options: OnNodesOptions,
  context: Pick<CommandContext, 'env' | 'signal'>,
  open: (node: NodeClient, name: string) => AsyncIterable<T>,
): AsyncGenerator<NodeOutcome<T>> {
  const channel = openChannel<NodeOutcome<T>>();
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, context.signal]);
  const outcomes = onNodes(
    options,
    { ...context, signal },
    async (node, name) => {
      for await (const value of open(node, name)) {
        if (signal.aborted) return;
        await channel.put({ node: name, ok: true, value });
      }
    },
    Number.POSITIVE_INFINITY,
  );
  const pass = async () => {
    for await (const outcome of outcomes) if (!outcome.ok) await channel.put(outcome);
  };
  pass().then(
    () => channel.end(),
    (reason: unknown) => channel.end(reason),
  );
  try {
    yield* channel.items();
  } finally {
    stop.abort();
  }
}

interface NodeWork<T> {
  readonly name: string;
  readonly limitMs: number;
  readonly signal: AbortSignal;
  work(node: NodeClient): Promise<T>;
}

/** Connects, works within the limit and hangs up in every case. */
async function withNode<T>(
  connect: () => Promise<NodeClient>,
  { name, limitMs, signal, work }: NodeWork<T>,
): Promise<T> {
  using node = await connect();
  let timer: NodeJS.Timeout | undefined;
  let abort = () => {};
  const ended = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    if (Number.isFinite(limitMs)) timer = setTimeout(() => reject(tooLate(name, limitMs)), limitMs);
  });
  const working = work(node);
  working.catch(() => {}); // when it is cut off, nobody waits for what it says then
  try {
    return await Promise.race([working, ended]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

function tooLate(name: string, limitMs: number): PlinthError {
  return new PlinthError('api/timeout', `Cannot ask node ${name}: no answer after ${limitMs} ms`, {
    retryable: true,
  });
}
