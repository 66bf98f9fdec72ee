import { messageData, type NodeClient, type Session, SessionLevel, SessionSchema } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import type { OneNodeOptions } from '../client/node-options.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import type { Terminal } from '../framework/terminal.ts';
import { usageError } from '../framework/usage-error.ts';
import { plainText } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { atNode } from './at-node.ts';
import { holdTerminal } from './hold-terminal.ts';
import { findSession, sessionFacts } from './show-sessions.ts';

export interface StartSessionOptions extends OneNodeOptions {
  readonly reason: string | undefined;
  readonly level: 'view' | 'full' | undefined;
  /** Milliseconds. */
  readonly ttl: number;
  readonly detach: boolean;
  /** Seconds. */
  readonly wait: number;
}

/**
 * startSession opens a session and, where there is a terminal, attaches it.
 * @throws cli/usage, cli/context-missing, session/…, containers/…, api/…
 */
export async function startSession(
  options: StartSessionOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { reason, level = 'view', ttl: ttlMs, detach, wait } = options;
  if (reason === undefined || reason.trim() === '')
    throw usageError('there is no --reason, expected one for the audit log');
  const { terminal } = context;
  if (!detach && !terminal)
    throw usageError('there is no terminal to attach', 'With --detach it is only opened.');
  return atNode(options, context, async (node) => {
    const session = await context.progress.step(`Open a session of level ${level}`, () =>
      node.session.start(
        {
          ...{ level: level === 'full' ? SessionLevel.FULL : SessionLevel.VIEW, reason, ttlMs },
          ...(terminal && { terminal: { ...terminal.size(), kind: context.env['TERM'] ?? '' } }),
        },
        wait * 1000,
      ),
    );
    if (!session)
      throw new PlinthError('api/protocol', 'Cannot use the answer to StartSession: session is missing');
    if (!detach && terminal) return attached(node, session, terminal, context);
    return { data: messageData(SessionSchema, session), names: [session.id], view: sessionFacts(session) };
  });
}

/** attachSession attaches the terminal to an open session. @throws cli/usage, cli/context-missing, session/…, api/… */
export async function attachSession(
  id: string | undefined,
  options: OneNodeOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { terminal } = context;
  if (!terminal) throw usageError('there is no terminal to attach, expected one');
  return atNode(options, context, async (node) => {
    return attached(node, await findSession(node, id), terminal, context);
  });
}

async function attached(
  node: NodeClient,
  session: Session,
  terminal: Terminal,
  context: CommandContext,
): Promise<CommandResult> {
  const endedBecause = await context.suspendProgress(() => holdTerminal(node, session, terminal, context));
  const { sessions } = await node.session.list();
  const now = sessions.find(({ id }) => id === session.id) ?? session;
  return {
    data: messageData(SessionSchema, now),
    names: [now.id],
    view: [
      plainText(
        endedBecause === undefined
          ? `Left session ${printable(session.id)}; it is still open. "plinth session attach" goes back, "plinth session end" ends it.`
          : `Session ${printable(session.id)} has ended: ${printable(endedBecause)}.`,
      ),
    ],
  };
}
