import {
  EndSessionResponseSchema,
  ListSessionsResponseSchema,
  messageData,
  type NodeClient,
  type Session,
  SessionLevel,
} from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { type AskOptions, askNode } from '../client/ask-node.ts';
import { durationMs } from '../client/duration.ts';
import type { OneNodeOptions } from '../client/node-options.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { type Block, facts, plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { formatBytes, formatDuration } from '../output/units.ts';
import { atNode } from './at-node.ts';

/** levelName is the word for a level. */
function levelName(level: SessionLevel): 'view' | 'full' | 'unknown' {
  if (level === SessionLevel.VIEW) return 'view';
  return level === SessionLevel.FULL ? 'full' : 'unknown';
}

/** listSessions asks a node for its sessions. @throws cli/context-missing, api/… */
export async function listSessions(options: AskOptions, context: CommandContext): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.session.list());
  const allowed = answer.allowedLevels.map(levelName).join(' and ');
  return {
    data: messageData(ListSessionsResponseSchema, answer),
    names: answer.sessions.map(({ id }) => printable(id)),
    view: [
      table(
        [
          { header: 'SESSION', value: ({ id }) => id },
          { header: 'LEVEL', value: ({ level }) => levelName(level) },
          {
            header: 'STATE',
            value: stateName,
            mark: ({ open }, style) => (open ? style.doubtful : style.faint),
          },
          { header: 'OPENED BY', value: ({ openedBy }) => openedBy },
          { header: 'STARTED', value: startedText },
          { header: 'LASTED', value: ({ duration }) => spanText(duration), align: 'right' },
          { header: 'REASON', value: ({ reason }) => reason },
          { header: 'ENDED', value: ({ endedBecause }) => endedBecause, wide: true },
          { header: 'RECORDING', value: recordingText, wide: true },
          { header: 'SHA-256', value: ({ recordingSha256 }) => recordingSha256, wide: true },
        ],
        answer.sessions,
        'The node has no sessions, and no recordings of earlier ones.',
      ),
      plainText(
        allowed === '' ? 'Its config allows no sessions.' : `Its config allows sessions of level ${allowed}.`,
      ),
    ],
  };
}

/** endSession ends a session. @throws cli/context-missing, session/…, api/… */
export async function endSession(
  id: string | undefined,
  options: OneNodeOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const session = await atNode(options, context, async (node) =>
    node.session.end(id ?? (await findSession(node)).id),
  );
  return {
    data: messageData(EndSessionResponseSchema, {
      $typeName: EndSessionResponseSchema.typeName,
      ...(session && { session }),
    }),
    names: [printable(session?.id ?? '')],
    view: session ? sessionFacts(session) : [],
  };
}

/** findSession gives the session of an id; without one the open session of the node. @throws session/missing */
export async function findSession(
  node: Pick<NodeClient, 'session'>,
  id?: string | undefined,
): Promise<Session> {
  const { sessions } = await node.session.list();
  const found = sessions.find((each) => (id === undefined ? each.open : each.id === id));
  if (found) return found;
  const state = id === undefined ? 'none is open on the node' : `the node knows none of id "${id}"`;
  throw new PlinthError('session/missing', `Cannot find a session: ${state}, expected one`);
}

/** sessionFacts tells of one session. */
export function sessionFacts(session: Session): readonly Block[] {
  const { id, level, openedBy, reason, ttl, duration, open, endedBecause } = session;
  return [
    facts([
      ['Session', id],
      ['Level', levelName(level)],
      ['Opened by', printable(openedBy)],
      ['Reason', printable(reason)],
      ['Longest', spanText(ttl)],
      ['Lasted', spanText(duration)],
      ...(open
        ? []
        : ([
            ['Ended', printable(endedBecause)],
            ['Recording', recordingText(session)],
            ['SHA-256', session.recordingSha256],
          ] as const)),
    ]),
  ];
}

function stateName({ open, attached }: Session): string {
  if (!open) return 'ended';
  return attached ? 'attached' : 'open';
}

function startedText({ startedAt }: Session): string {
  return startedAt
    ? new Date(Number(startedAt.seconds) * 1000).toISOString().slice(0, 16).replace('T', ' ')
    : '';
}

function spanText(span: Session['ttl']): string {
  return span ? formatDuration(durationMs(span)) : '';
}

function recordingText({ open, recordingBytes }: Session): string {
  return open ? 'under way' : formatBytes(Number(recordingBytes));
}
