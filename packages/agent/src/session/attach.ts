import { PlinthError } from '@plinth/base';
import type { OpenSession, Sessions } from './open-sessions.ts';
import { handover } from './screen.ts';
import { type Level, type TerminalState, terminalOf } from './session-state.ts';

/** One message of a terminal; see session.proto. */
export interface AttachMessage {
  readonly sessionId: string;
  readonly input: Uint8Array;
  readonly terminal?: Partial<TerminalState> | undefined;
}

/** One message to a terminal. */
export interface AttachAnswer {
  readonly output: Uint8Array;
  readonly endedBecause: string;
}

const FIRST_MS = 10_000;
const NOTHING = new Uint8Array();

/**
 * attachTerminal connects a terminal to an open session until either ends; the session goes on without a terminal. What is
 * typed goes through at the pace of the container, what is shown at the pace of the reader.
 * @throws session/missing, session/ended, session/busy, session/not-allowed, session/request-invalid
 */
export async function* attachTerminal(
  sessions: Pick<Sessions, 'open'>,
  level: Level,
  messages: AsyncIterable<AttachMessage>,
  signal: AbortSignal,
): AsyncGenerator<AttachAnswer> {
  const incoming = messages[Symbol.asyncIterator]();
  const first = await firstOf(incoming);
  const { record, live, ended } = sessions.open(first.sessionId);
  // Whoever may call this method may not use every session.
  if (record.level !== level)
    throw new PlinthError(
      'session/not-allowed',
      `Cannot attach to the session: it is of level ${record.level}, expected one of level ${level}`,
    );
  const { screen } = live;
  if (screen.attached)
    throw new PlinthError(
      'session/busy',
      'Cannot attach to the session: another terminal is attached, expected none',
      { retryable: true },
    );
  const shown = handover();
  const seen = screen.attach(shown);
  const stop = () => shown.end();
  signal.addEventListener('abort', stop, { once: true });
  let because: string | undefined;
  void ended.then((why) => {
    because = why;
    stop();
  });
  try {
    if (first.terminal) await resize(live, first.terminal);
    pass(live, first.input, incoming).catch(stop);
    yield { output: NOTHING, endedBecause: '' };
    if (seen.length > 0) yield { output: seen, endedBecause: '' };
    for await (const output of shown.pieces()) yield { output, endedBecause: '' };
    if (because !== undefined) yield { output: NOTHING, endedBecause: because };
  } finally {
    signal.removeEventListener('abort', stop);
    screen.detach(shown);
    stop();
  }
}

/** Who stays silent holds a place for nothing. */
async function firstOf(incoming: AsyncIterator<AttachMessage>): Promise<AttachMessage> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(invalid(`nothing was sent for ${FIRST_MS} ms`)), FIRST_MS);
  });
  try {
    const { done, value } = await Promise.race([incoming.next(), late]);
    if (done) throw invalid('nothing was sent');
    return value;
  } finally {
    clearTimeout(timer);
  }
}

async function pass(
  live: OpenSession['live'],
  first: Uint8Array,
  incoming: AsyncIterator<AttachMessage>,
): Promise<void> {
  if (first.length > 0) await live.type(first);
  for (let next = await incoming.next(); !next.done; next = await incoming.next()) {
    const { input, terminal } = next.value;
    if (terminal) await resize(live, terminal);
    if (input.length > 0) await live.type(input);
  }
}

async function resize(live: OpenSession['live'], given: Partial<TerminalState>): Promise<void> {
  const { columns, rows } = terminalOf(given);
  await live.resize(columns, rows);
}

function invalid(state: string): PlinthError {
  return new PlinthError(
    'session/request-invalid',
    `Cannot attach to a session: ${state}, expected the id of one`,
  );
}
