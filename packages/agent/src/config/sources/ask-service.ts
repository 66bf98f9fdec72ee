import { messageOf } from '@plinth/base';
import { configLimits } from '@plinth/config';
import { errorCode } from '../../sys/sys.ts';
import { AnswerTooLarge, httpGet, type MetadataAnswer, type MetadataRequest } from './http-get.ts';
import type { MetadataService } from './services.ts';

/** What one try gave. "refused" is what asking again will not change soon. */
export type Asked =
  | { readonly kind: 'given'; readonly bytes: Buffer }
  | { readonly kind: 'none' }
  | { readonly kind: 'unanswered'; readonly why: string; readonly retryAfterMs?: number }
  | { readonly kind: 'unusable'; readonly why: string };

export interface AskOptions {
  readonly timeoutMs: number;
  /** Authorities for TLS, PEM; default: those of the runtime. */
  readonly caPem?: string;
  readonly signal?: AbortSignal;
}

/** What base64 makes of the largest config, with line ends. */
const BASE64_LIMIT = Math.ceil((configLimits.bytes * 4) / 3 + configLimits.bytes / 32);
const TOKEN_LIMIT_BYTES = 4096;
const RETRY_AFTER_LIMIT_MS = 60_000;

/** askService asks once for the user data; a token that is not taken is fetched anew once. It never throws. */
export async function askService(service: MetadataService, options: AskOptions): Promise<Asked> {
  try {
    const first = await askWithToken(service, options);
    const isRefused = first.kind === 'answer' && [401, 403].includes(first.answer.status);
    const last = isRefused && service.token ? await askWithToken(service, options) : first;
    return last.kind === 'answer' ? judge(service, last.answer) : last;
  } catch (reason) {
    if (reason instanceof AnswerTooLarge) return { kind: 'unusable', why: reason.message };
    return { kind: 'unanswered', why: wordsFor(reason) };
  }
}

type Step = { readonly kind: 'answer'; readonly answer: MetadataAnswer } | Asked;

async function askWithToken(service: MetadataService, options: AskOptions): Promise<Step> {
  const { token } = service;
  const headers = { ...service.headers };
  if (token) {
    const answer = await httpGet({
      ...common(service, options),
      ...{ method: 'PUT', path: token.path, headers: token.headers, limitBytes: TOKEN_LIMIT_BYTES },
    });
    if (answer.status !== 200)
      return { ...unexpected(answer, 'the request for a token'), ...retryAfter(answer) };
    const text = answer.body.toString('latin1').trim();
    // It becomes a header; it is a secret of this machine and is never repeated in words.
    if (!/^[!-~]+$/.test(text)) return { kind: 'unanswered', why: 'what it gives as a token is none' };
    headers[token.sentIn] = text;
  }
  const limitBytes = service.encoding === 'base64' ? BASE64_LIMIT : configLimits.bytes;
  const { path } = service;
  const answer = await httpGet({ ...common(service, options), method: 'GET', path, headers, limitBytes });
  return { kind: 'answer', answer };
}

function common(service: MetadataService, { timeoutMs, caPem, signal }: AskOptions) {
  const { tls, host, port } = service;
  return {
    ...{ tls, host, port, timeoutMs, caPem, signal },
    fromLowPort: service.fromLowPort ?? false,
  } satisfies Partial<MetadataRequest>;
}

function judge(service: MetadataService, answer: MetadataAnswer): Asked {
  const [name, value] = service.answersWith ?? [];
  if (name !== undefined && answer.headers[name] !== value)
    return {
      kind: 'unanswered',
      why: `something answers that is not the metadata service of ${service.title}`,
    };
  switch (answer.status) {
    case 200:
      return decode(service, answer.body);
    case 204:
    case 404:
    case 410:
      return { kind: 'none' };
    default:
      return { ...unexpected(answer, 'the request'), ...retryAfter(answer) };
  }
}

function decode({ encoding }: MetadataService, body: Buffer): Asked {
  const isBlank = body.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
  if (isBlank) return { kind: 'none' };
  if (encoding === 'plain') return { kind: 'given', bytes: body };
  const text = body.toString('latin1').replaceAll(/\s/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text))
    return { kind: 'unusable', why: 'what it gives is no base64, expected base64' };
  return { kind: 'given', bytes: Buffer.from(text, 'base64') };
}

/** unexpected says in words what a status means that is no answer. */
export function unexpected({ status }: MetadataAnswer, what: string): { kind: 'unanswered'; why: string } {
  if (status === 429) return { kind: 'unanswered', why: `it has too many requests (${status})` };
  if (status === 401 || status === 403) return { kind: 'unanswered', why: `it refuses ${what} (${status})` };
  if (status >= 300 && status < 400)
    return { kind: 'unanswered', why: `it leads elsewhere (${status}), which is not followed` };
  return { kind: 'unanswered', why: `it answers ${what} with status ${status}` };
}

/** retryAfter is the pause that an answer asks for. */
export function retryAfter({ headers }: MetadataAnswer): { retryAfterMs?: number } {
  const said = headers['retry-after'];
  if (typeof said !== 'string' || !/^\d{1,6}$/.test(said)) return {};
  return { retryAfterMs: Math.min(Number(said) * 1000, RETRY_AFTER_LIMIT_MS) };
}

/** wordsFor says why a request failed: the same words each time for the same trouble: what is said on the console is said once. */
export function wordsFor(reason: unknown): string {
  switch (errorCode(reason)) {
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'EADDRNOTAVAIL':
      return 'there is no route to it yet';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'no name server knows it yet';
    case 'ECONNREFUSED':
      return 'it refuses connections';
    case 'EACCES':
      return 'a port below 1024 may not be used';
    case '':
      return messageOf(reason);
    default:
      return `the connection failed (${errorCode(reason)})`;
  }
}
