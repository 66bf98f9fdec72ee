import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { createClient, type Transport } from '@connectrpc/connect';
import {
  type ListSessionsResponse,
  type Session,
  SessionLevel,
  SessionService,
} from './gen/plinth/node/v1/session_pb.ts';
import type { Answer } from './kubernetes-calls.ts';
import { type Fail, streamCall } from './stream-calls.ts';
import { CHUNK_LIMIT_BYTES, checkLast } from './transfer.ts';

/** The size of a terminal, and its kind at the start of a session. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
  readonly kind?: string;
}

/** What is asked for. */
export interface SessionRequest {
  readonly level: SessionLevel;
  readonly reason: string;
  /** 0: the longest that the node allows. */
  readonly ttlMs: number;
  readonly terminal?: TerminalSize;
}

/** One thing that a terminal sends: what was typed, or its new size. */
export type TerminalInput = Uint8Array | TerminalSize;

/** One thing that a terminal is sent: bytes to show, or, last, why the session has ended. */
export interface TerminalOutput {
  readonly output: Uint8Array;
  readonly endedBecause: string;
}

/** A message of both levels. */
interface AttachMessage {
  readonly sessionId?: string;
  readonly terminal?: TerminalSize;
  readonly input?: Uint8Array<ArrayBuffer>;
}

/** Operations sessions of a node. Each call throws a PlinthError. */
export interface SessionCalls {
  list(): Promise<ListSessionsResponse>;
  /** @throws session/not-allowed, session/request-invalid, session/busy, session/failed */
  start(request: SessionRequest, timeoutMs: number): Promise<Session | undefined>;
  end(sessionId: string): Promise<Session | undefined>;
  /**
   * Connects a terminal. What it gives begins with an empty piece once the terminal is attached. It hangs up when its reader
   * stops. @throws session/missing, session/ended, session/busy
   */
  attach(
    session: Pick<Session, 'id' | 'level'>,
    terminal: TerminalSize,
    input: AsyncIterable<TerminalInput>,
  ): AsyncGenerator<TerminalOutput>;
  /** The recording piece by piece, as far as it goes. */
  recording(sessionId: string): AsyncGenerator<Uint8Array>;
}

/** sessionCalls are the calls of SessionService over a transport. */
export function sessionCalls(transport: Transport, answer: Answer, fail: Fail): SessionCalls {
  const client = createClient(SessionService, transport);
  return {
    list: () => answer('ListSessions', client.listSessions({})),
    start: async ({ level, reason, ttlMs, terminal }, timeoutMs) => {
      const request = {
        reason,
        ttl: durationFromMs(ttlMs),
        ...(terminal && { terminal }),
      };
      const { session } =
        level === SessionLevel.FULL
          ? await answer('StartFullSession', client.startFullSession(request, { timeoutMs }))
          : await answer('StartViewSession', client.startViewSession(request, { timeoutMs }));
      return session;
    },
    end: async (sessionId) => (await answer('EndSession', client.endSession({ sessionId }))).session,
    attach: ({ id, level }, terminal, input) =>
      level === SessionLevel.FULL
        ? streamCall('AttachFullSession', fail, (options) =>
            client.attachFullSession(requests(id, terminal, input), options),
          )
        : streamCall('AttachViewSession', fail, (options) =>
            client.attachViewSession(requests(id, terminal, input), options),
          ),
    recording: (sessionId) =>
      checkLast(
        streamCall('ReadSessionRecording', fail, (options) =>
          client.readSessionRecording({ sessionId }, options),
        ),
        'the recording',
      ),
  };
}

async function* requests(
  sessionId: string,
  terminal: TerminalSize,
  input: AsyncIterable<TerminalInput>,
): AsyncGenerator<AttachMessage> {
  yield { sessionId, terminal };
  for await (const each of input) {
    if (!(each instanceof Uint8Array)) yield { terminal: each };
    else
      for (let at = 0; at < each.length; at += CHUNK_LIMIT_BYTES)
        yield { input: new Uint8Array(each.subarray(at, at + CHUNK_LIMIT_BYTES)) };
  }
}
