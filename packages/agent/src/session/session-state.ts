import { PlinthError } from '@plinth/base';
import { type OperationsSession, secondsOf, sessionLevels } from '@plinth/config';
import { z } from 'zod';

export type Level = (typeof sessionLevels)[number];

const record = z.object({
  id: z.string(),
  level: z.enum(sessionLevels),
  reason: z.string(),
  openedBy: z.string(),
  image: z.string(),
  startedAtMs: z.number(),
  ttlMs: z.number(),
  durationMs: z.number(),
  /** Empty while it is open. */
  endedBecause: z.string(),
  recordingBytes: z.number(),
  recordingSha256: z.string(),
});
/** What is known of a session. */
export type SessionRecord = z.infer<typeof record>;

export const sessionsSchema = z.object({ version: z.literal(1), sessions: z.array(record) });

/** How many recordings are kept; the oldest goes first. */
export const MOST_KEPT = 16;
const REASON_LIMIT = 200;
const TTL_LEAST_MS = 1_000;
const TERMINAL_LIMIT = 1_000;
const USUAL_TERMINAL = { columns: 80, rows: 24, kind: 'xterm-256color' };

/** What is asked of the node. */
export interface SessionAsk {
  readonly level: Level;
  readonly reason: string;
  /** 0: the longest that is allowed. */
  readonly ttlMs: number;
  readonly openedBy: string;
  readonly terminal: Partial<TerminalState> | undefined;
}

export interface TerminalState {
  readonly columns: number;
  readonly rows: number;
  readonly kind: string;
}

/** What a session will be. */
export interface SessionPlan {
  readonly level: Level;
  readonly reason: string;
  readonly openedBy: string;
  readonly image: string;
  readonly ttlMs: number;
  readonly terminal: TerminalState;
}

/**
 * planSession decides whether a session may be opened, and how long it lasts. Pure.
 * @throws session/not-allowed, session/request-invalid
 */
export function planSession(ask: SessionAsk, allowed: OperationsSession | undefined): SessionPlan {
  const { level, ttlMs, openedBy } = ask;
  const reason = ask.reason.trim();
  if (reason === '') throw invalid('there is no reason', 'one for the audit log');
  if (reason.length > REASON_LIMIT)
    throw invalid(`the reason has ${reason.length} characters`, `${REASON_LIMIT} at most`);
  if (/\p{Cc}/u.test(reason)) throw invalid('the reason has control characters', 'one line of text');
  const terminal = terminalOf(ask.terminal);
  if (!allowed) throw notAllowed('its machine config allows no sessions', 'a document OperationsSession');
  if (!allowed.levels.includes(level))
    throw notAllowed(`its machine config allows no session of level ${level}`, allowed.levels.join(' or '));
  const longestMs = (secondsOf(allowed.longest) ?? 0) * 1000;
  if (ttlMs > longestMs)
    throw notAllowed(`${ttlMs / 1000} s are asked for`, `${allowed.longest} at most by its machine config`);
  if (ttlMs !== 0 && ttlMs < TTL_LEAST_MS)
    throw invalid(`it would last ${ttlMs} ms`, `${TTL_LEAST_MS} ms at least`);
  return { level, reason, openedBy, image: allowed.image, ttlMs: ttlMs || longestMs, terminal };
}

/** terminalOf checks the size of a terminal; what is not said is usual. @throws session/request-invalid */
export function terminalOf(given: Partial<TerminalState> | undefined): TerminalState {
  const columns = given?.columns || USUAL_TERMINAL.columns;
  const rows = given?.rows || USUAL_TERMINAL.rows;
  const kind = given?.kind || USUAL_TERMINAL.kind;
  if (columns > TERMINAL_LIMIT || rows > TERMINAL_LIMIT)
    throw invalid(`the terminal has ${columns} × ${rows}`, `${TERMINAL_LIMIT} × ${TERMINAL_LIMIT} at most`);
  if (!/^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/.test(kind))
    throw invalid('the kind of the terminal has other characters', 'a value of TERM');
  return { columns, rows, kind };
}

function invalid(state: string, expected: string): PlinthError {
  return new PlinthError('session/request-invalid', `Cannot open a session: ${state}, expected ${expected}`);
}

function notAllowed(state: string, expected: string): PlinthError {
  return new PlinthError('session/not-allowed', `Cannot open a session: ${state}, expected ${expected}`);
}
