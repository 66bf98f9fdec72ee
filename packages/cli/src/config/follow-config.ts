import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigOutcome, type ConfigRevision, type ConfigTrial, type NodeClient } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { durationMs } from '../client/duration.ts';

/** How a revision ended, or how far it has come. */
export interface Followed {
  readonly revision: ConfigRevision;
  /** What still keeps the node from being healthy with it; empty when it has proven itself. */
  readonly open: readonly string[];
}

export interface FollowConfigOptions {
  /** Opens a new connection: one from before the change proves nothing. */
  readonly connect: () => Promise<NodeClient>;
  readonly revision: number;
  readonly trial: ConfigTrial;
  readonly signal: AbortSignal;
  /** How long health is waited for. */
  readonly healthMs: number;
  readonly note: (text: string) => void;
  readonly pollMs?: number;
}

const POLL_MS = 1_000;

/**
 * followConfig waits until the node has a revision, confirms it over a new connection where that is asked for, and waits
 * for health where not.
 * @throws config/not-confirmed when the node is not reached any more, config/reverted, cli/interrupted
 */
export async function followConfig(options: FollowConfigOptions): Promise<Followed> {
  const { trial, note } = options;
  const limitMs = trial.needsConfirmation ? durationMs(trial.remaining) : options.healthMs;
  const endMs = performance.now() + limitMs;
  let problem = '';
  for (;;) {
    try {
      const followed = await look(options);
      if (followed) return followed;
      problem = '';
    } catch (reason) {
      if (!(reason instanceof PlinthError && (reason.retryable || reason.code === 'config/busy')))
        throw reason;
      problem = reason.message;
      note('the node does not answer');
    }
    if (performance.now() >= endMs) throw unanswered(options, problem);
    await sleep(options.pollMs ?? POLL_MS, undefined, { signal: options.signal }).catch(() => {
      throw new PlinthError('cli/interrupted', `Cannot follow revision ${options.revision}: interrupted`);
    });
  }
}

/** One look over a connection of its own; undefined when it has to be looked at again. */
async function look(options: FollowConfigOptions): Promise<Followed | undefined> {
  using node = await options.connect();
  const hangUp = () => node.close();
  options.signal.addEventListener('abort', hangUp, { once: true });
  try {
    const { current, trial, settled, problem } = await node.config.status();
    if (current?.revision !== options.revision) throw await reverted(node, options.revision);
    if (!settled) {
      options.note(problem === '' ? 'the node brings it about' : problem);
      return undefined;
    }
    if (trial?.needsConfirmation) {
      await node.config.confirm(options.revision);
      return { revision: current, open: [] };
    }
    if (current.outcome === ConfigOutcome.GOOD) return { revision: current, open: [] };
    options.note(`waits for health: ${trial?.obstacles.join(', ') || 'not looked at yet'}`);
    return undefined;
  } finally {
    options.signal.removeEventListener('abort', hangUp);
  }
}

async function reverted(node: NodeClient, revision: number): Promise<PlinthError> {
  const { revisions } = await node.config.history();
  const found = revisions.find((each) => each.revision === revision);
  const why = found?.note || 'the node does not say why';
  return new PlinthError('config/reverted', `Cannot keep revision ${revision}: it ${why}; it was taken back`);
}

function unanswered({ revision, trial }: FollowConfigOptions, problem: string): PlinthError {
  if (trial.needsConfirmation)
    return new PlinthError(
      'config/not-confirmed',
      `Cannot confirm revision ${revision}: ${problem || 'it was not brought about in time'}; the node goes back to revision ${trial.previousRevision} by itself`,
    );
  return new PlinthError(
    'config/busy',
    `Cannot see the end of revision ${revision}: ${problem || 'the node is not healthy with it yet'}, expected health`,
    { hint: 'The node goes back by itself unless it gets healthy; see "plinth config history".' },
  );
}
