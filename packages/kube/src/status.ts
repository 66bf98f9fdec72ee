import { type ErrorCode, PlinthError } from '@plinth/base';
import { z } from 'zod';
import type { KubeAnswer, KubeConnection, KubeRequest } from './connection.ts';

/** What an API server says of a call that failed, as far as programs act on it. */
export interface KubeStatus {
  /** "AlreadyExists", "Conflict", "Invalid", "TooManyRequests", …; empty where the answer is no Status. */
  readonly reason: string;
  readonly message: string;
  /** Of an expired list: from where the server would go on. */
  readonly continueToken: string | undefined;
}

/** A Status lists all that is wrong with an object; a person reads the beginning. */
const MESSAGE_LIMIT = 2000;

const statusSchema = z.looseObject({
  kind: z.literal('Status'),
  reason: z.string().default(''),
  message: z.string().default(''),
  metadata: z.looseObject({ continue: z.string().optional() }).optional(),
});

/** parseStatus reads the Status of a failed call; whatever else came becomes one without a reason. */
export function parseStatus(text: string): KubeStatus {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = statusSchema.safeParse(value);
  if (!parsed.success) return { reason: '', message: '', continueToken: undefined };
  const { reason, message, metadata } = parsed.data;
  return {
    reason,
    message: message.slice(0, MESSAGE_LIMIT),
    continueToken: metadata?.continue === '' ? undefined : metadata?.continue,
  };
}

/**
 * askKube makes a call that is to succeed and gives its JSON.
 * @throws kube/unreachable; kube/unauthorized, kube/forbidden, kube/not-found, kube/conflict, kube/expired, kube/invalid,
 *   kube/busy or kube/failed by the status, which is in `details.status`; kube/bad-answer when it is no JSON
 */
export async function askKube(
  connection: KubeConnection,
  asked: KubeRequest,
  signal: AbortSignal,
): Promise<unknown> {
  const answer = await connection.call(asked, signal);
  if (answer.status < 200 || answer.status >= 300) throw statusError(asked, answer);
  try {
    return JSON.parse(answer.text) as unknown;
  } catch (reason) {
    throw new PlinthError('kube/bad-answer', `Cannot read ${asked.path}: the answer is not JSON`, {
      cause: reason,
    });
  }
}

const CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [401, 'kube/unauthorized'],
  [403, 'kube/forbidden'],
  [404, 'kube/not-found'],
  [409, 'kube/conflict'],
  [410, 'kube/expired'],
  [422, 'kube/invalid'],
  [429, 'kube/busy'],
]);

const VERBS = { GET: 'read', POST: 'create at', PUT: 'replace', PATCH: 'change', DELETE: 'delete' } as const;

/** statusError is the error of a call that the server did not grant. */
export function statusError(asked: KubeRequest, { status, text }: KubeAnswer): PlinthError {
  const { message } = parseStatus(text);
  return new PlinthError(
    CODES.get(status) ?? 'kube/failed',
    `Cannot ${VERBS[asked.method]} ${asked.path}: ${message === '' ? `status ${status}` : message}`,
    { details: { status }, retryable: status === 409 || status === 410 || status === 429 || status >= 500 },
  );
}
