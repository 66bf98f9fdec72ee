import { open } from 'node:fs/promises';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, durationMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, type ConnectRouter, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import {
  AttachFullSessionResponseSchema,
  AttachViewSessionResponseSchema,
  CHUNK_LIMIT_BYTES,
  EndSessionResponseSchema,
  ListSessionsResponseSchema,
  ReadSessionRecordingResponseSchema,
  SessionLevel,
  type SessionSchema,
  SessionService,
  StartFullSessionResponseSchema,
  type StartViewSessionRequest,
  StartViewSessionResponseSchema,
} from '@plinth/api';
import type { OperationsSession } from '@plinth/config';
import { refusing, refusingStream, type Statuses } from '../refuse.ts';
import { callerKey, requireRole } from '../server/guard.ts';
import { attachTerminal } from './attach.ts';
import type { Sessions } from './open-sessions.ts';
import type { Level, SessionRecord } from './session-state.ts';

/** A terminal is attached as long as its session lasts, and an image may have to come first. */
const LIMIT_MS = 24 * 60 * 60_000;

const LEVELS = { view: SessionLevel.VIEW, full: SessionLevel.FULL } as const;

const STATUSES: Statuses = {
  'session/not-allowed': Code.FailedPrecondition,
  'session/request-invalid': Code.InvalidArgument,
  'session/missing': Code.NotFound,
  'session/ended': Code.FailedPrecondition,
  'session/busy': Code.Unavailable,
  'containers/runtime-unreachable': Code.Unavailable,
  'containers/image-missing': Code.NotFound,
  'containers/image-invalid': Code.FailedPrecondition,
  'containers/pull-failed': Code.Unavailable,
};

export interface SessionServiceParts {
  readonly sessions: Sessions;
  readonly allowed: () => OperationsSession | undefined;
  readonly nowMs: () => number;
}

/** sessionService gives the routes of plinth.node.v1.SessionService. */
export function sessionService({
  sessions,
  allowed,
  nowMs,
}: SessionServiceParts): (router: ConnectRouter) => void {
  const message = (record: SessionRecord, attached = false) => messageOf(record, attached, nowMs());
  const start = async (
    level: Level,
    request: Omit<StartViewSessionRequest, '$typeName'>,
    context: HandlerContext,
  ) =>
    message(
      await sessions.start({
        ...{ level, reason: request.reason, ttlMs: request.ttl ? durationMs(request.ttl) : 0 },
        ...{ openedBy: nameOf(context), terminal: request.terminal },
      }),
    );
  const routes: ServiceImpl<typeof SessionService> = {
    listSessions: () =>
      create(ListSessionsResponseSchema, {
        sessions: sessions.list().map((each) => message(each, each.attached)),
        allowedLevels: (allowed()?.levels ?? []).map((level) => LEVELS[level]),
      }),
    startViewSession: (request, context) =>
      refusing(STATUSES, async () =>
        create(StartViewSessionResponseSchema, { session: await start('view', request, context) }),
      ),
    startFullSession: (request, context) =>
      refusing(STATUSES, async () =>
        create(StartFullSessionResponseSchema, { session: await start('full', request, context) }),
      ),
    attachViewSession: (messages, { signal }) =>
      refusingStream(
        STATUSES,
        each(attachTerminal(sessions, 'view', messages, signal), (answer) =>
          create(AttachViewSessionResponseSchema, answer),
        ),
      ),
    attachFullSession: (messages, { signal }) =>
      refusingStream(
        STATUSES,
        each(attachTerminal(sessions, 'full', messages, signal), (answer) =>
          create(AttachFullSessionResponseSchema, answer),
        ),
      ),
    endSession: ({ sessionId }, context) =>
      refusing(STATUSES, async () =>
        create(EndSessionResponseSchema, {
          session: message(await sessions.end(sessionId, `${nameOf(context)} ended it`)),
        }),
      ),
    readSessionRecording: ({ sessionId }) =>
      refusingStream(
        STATUSES,
        pieces(() => sessions.recordingPath(sessionId)),
      ),
  };
  return (router) => {
    router.service(SessionService, routes, { maxTimeoutMs: LIMIT_MS });
  };
}

function nameOf(context: HandlerContext): string {
  return requireRole(context.values.get(callerKey)).commonName;
}

function messageOf(
  record: SessionRecord,
  attached: boolean,
  nowMs: number,
): MessageInitShape<typeof SessionSchema> {
  const { id, level, reason, openedBy, image, startedAtMs, ttlMs, endedBecause } = record;
  const open = endedBecause === '';
  return {
    ...{ id, level: LEVELS[level], reason, openedBy, image, open, endedBecause, attached },
    startedAt: timestampFromMs(startedAtMs),
    ttl: durationFromMs(ttlMs),
    duration: durationFromMs(open ? Math.max(nowMs - startedAtMs, 0) : record.durationMs),
    ...{ recordingBytes: BigInt(record.recordingBytes), recordingSha256: record.recordingSha256 },
  };
}

async function* each<T, U>(items: AsyncIterable<T>, change: (item: T) => U): AsyncGenerator<U> {
  for await (const item of items) yield change(item);
}

/** The recording as it is when it is asked for. */
async function* pieces(path: () => string) {
  const file = await open(path(), 'r');
  try {
    const { size } = await file.stat();
    for (let at = 0; at < size; ) {
      const { buffer, bytesRead } = await file.read(
        Buffer.alloc(CHUNK_LIMIT_BYTES),
        0,
        Math.min(CHUNK_LIMIT_BYTES, size - at),
        at,
      );
      if (bytesRead === 0) break;
      at += bytesRead;
      yield create(ReadSessionRecordingResponseSchema, { chunk: buffer.subarray(0, bytesRead) });
    }
    yield create(ReadSessionRecordingResponseSchema, { last: true });
  } finally {
    await file.close();
  }
}
