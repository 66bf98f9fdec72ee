import { X509Certificate } from 'node:crypto';
import { configLimits } from '@plinth/config';
import { z } from 'zod';
import { type Asked, retryAfter, unexpected, wordsFor } from './ask-service.ts';
import { AnswerTooLarge, getAddress } from './http-get.ts';
import { inRounds, type RoundsParts } from './in-rounds.ts';

/** Where a config is, and who vouches for who gives it. */
export interface ConfigUrl {
  readonly url: URL;
  /** The authority that the server's certificate must come from, PEM; no other counts. */
  readonly caPem: string;
}

export type ReadConfigUrl =
  | { readonly ok: true; readonly at: ConfigUrl }
  | { readonly ok: false; readonly why: string };

const schema = z.strictObject({ url: z.string().max(2048), authority: z.string().max(16 * 1024) });
const SHAPE = '{"url": "https://…", "authority": "PEM"}';

/**
 * readConfigUrl reads what the machine's definition says of a config elsewhere: JSON with an address and the authority that
 * vouches for it. Without that authority, or not over TLS, there is no such thing: whoever answered could make the node theirs.
 */
export function readConfigUrl(bytes: Buffer): ReadConfigUrl {
  const refused = (why: string) => ({ ok: false, why }) as const;
  if (bytes.length > 32 * 1024) return refused(`the address has ${bytes.length} bytes, expected ${SHAPE}`);
  const parsed = schema.safeParse(jsonOf(bytes));
  if (!parsed.success) {
    const missing = parsed.error.issues.some(({ path }) => path[0] === 'authority');
    return refused(
      missing
        ? 'the address has no "authority", expected the certificate that vouches for it'
        : `expected ${SHAPE}`,
    );
  }
  const { url: text, authority } = parsed.data;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:') return refused('the address does not begin with "https:", expected it');
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    return refused('the address has a user, a password or a "#", expected host and path');
  if (!isAuthority(authority)) return refused('"authority" is not the certificate of one authority, PEM');
  return { ok: true, at: { url, caPem: authority } };
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

function isAuthority(pem: string): boolean {
  try {
    return (pem.match(/-----BEGIN /g) ?? []).length === 1 && new X509Certificate(pem).ca;
  } catch {
    return false;
  }
}

/** The server that a config's address names. */
export type UrlSource = (at: ConfigUrl, hurry: boolean) => Promise<Asked>;

/** openUrlSource asks the server of an address, in rounds as a metadata service is asked. */
export function openUrlSource(parts: Omit<RoundsParts<ConfigUrl>, 'ask'> = {}): UrlSource {
  return inRounds({ ...parts, ask: askUrl });
}

/** Follows no redirect and uses no proxy. An address that was given has a config: "not found" is no answer but a trouble. */
async function askUrl(
  { url, caPem }: ConfigUrl,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Asked> {
  try {
    const answer = await getAddress(url, {
      ...{ limitBytes: configLimits.bytes, timeoutMs, signal, caPem },
      headers: { accept: 'application/yaml, text/plain, */*' },
    });
    if (answer.status !== 200) return { ...unexpected(answer, 'the request'), ...retryAfter(answer) };
    if (answer.body.length === 0) return { kind: 'unanswered', why: 'its answer is empty' };
    return { kind: 'given', bytes: answer.body };
  } catch (reason) {
    if (reason instanceof AnswerTooLarge) return { kind: 'unusable', why: reason.message };
    return { kind: 'unanswered', why: wordsFor(reason) };
  }
}
