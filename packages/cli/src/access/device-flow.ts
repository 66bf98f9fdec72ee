import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, PlinthError } from '@plinth/base';
import { z } from 'zod';

/** The issuer as a node names it. */
export interface DeviceFlowParts {
  readonly issuer: string;
  readonly clientId: string;
  /** Vouches for the issuer's server, PEM. */
  readonly caPem: string;
  readonly scopes: readonly string[];
  /** Names the key that the token is for; issuers that know no nonce here leave it out. */
  readonly nonce: string;
  readonly signal: AbortSignal;
  /** Tells a person where to go and what to enter. */
  readonly show: (prompt: DevicePrompt) => void;
}

/** What a person is asked to do. */
export interface DevicePrompt {
  readonly url: string;
  readonly userCode: string;
  /** With the code in it, where the issuer has such an address. */
  readonly urlWithCode?: string | undefined;
  readonly expiresInSeconds: number;
}

const TIMEOUT_MS = 20_000;
const LIMIT_BYTES = 256 * 1024;
/** Seconds; RFC 8628, 3.2 and 3.5. */
const INTERVAL = { usual: 5, slower: 5, most: 60 } as const;
const EXPIRES_LIMIT_SECONDS = 30 * 60;
const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

const httpsUrl = z.url({ protocol: /^https$/ }).max(2048);
/** Shown on a terminal: letters of an address only. */
const shown = z.string().regex(/^[!-~]{1,2048}$/);
const discovery = z.looseObject({
  issuer: z.string(),
  device_authorization_endpoint: httpsUrl.optional(),
  token_endpoint: httpsUrl,
});
const begun = z.looseObject({
  device_code: z.string().max(4096),
  user_code: z.string().regex(/^[!-~]{1,64}$/),
  verification_uri: shown,
  verification_uri_complete: shown.optional(),
  expires_in: z.number().positive(),
  interval: z.number().positive().optional(),
});
const given = z.looseObject({ id_token: z.string().max(16 * 1024) });
const failed = z.looseObject({ error: z.string().max(64) });

/**
 * runDeviceFlow has a person log in at the issuer with any browser (RFC 8628) and gives the ID token.
 * @throws access/issuer-unreachable, access/login-failed, cli/interrupted
 */
export async function runDeviceFlow(parts: DeviceFlowParts): Promise<string> {
  const { issuer, clientId, scopes, nonce, signal, show } = parts;
  const found = read(
    discovery,
    await call(parts, `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`),
  );
  if (found.issuer !== issuer) throw unreachable(issuer, 'its discovery document is of another issuer');
  const endpoint = found.device_authorization_endpoint;
  if (endpoint === undefined) throw loginFailed('the issuer has no device flow (RFC 8628)');
  const scope = [...new Set(['openid', ...scopes])].join(' ');
  const answer = await call(parts, endpoint, { client_id: clientId, scope, nonce });
  const refused = failed.safeParse(answer.body);
  if (answer.status !== 200)
    throw loginFailed(
      `the issuer refuses to begin: ${refused.success ? printable(refused.data.error) : answer.status}`,
    );
  const flow = read(begun, answer);
  const expiresInSeconds = Math.min(flow.expires_in, EXPIRES_LIMIT_SECONDS);
  show({
    ...{ url: flow.verification_uri, userCode: flow.user_code, expiresInSeconds },
    urlWithCode: flow.verification_uri_complete,
  });
  const endMs = performance.now() + expiresInSeconds * 1000;
  let intervalSeconds = Math.min(flow.interval ?? INTERVAL.usual, INTERVAL.most);
  for (;;) {
    await sleep(intervalSeconds * 1000, undefined, { signal }).catch(() => {
      throw new PlinthError('cli/interrupted', 'Cannot log in: interrupted');
    });
    if (performance.now() > endMs) throw loginFailed('nobody entered the code in time');
    const polled = await poll(parts, found.token_endpoint, flow.device_code);
    if (polled.kind === 'token') return polled.token;
    if (polled.kind === 'slower')
      intervalSeconds = Math.min(intervalSeconds + INTERVAL.slower, INTERVAL.most);
  }
}

type Polled = { readonly kind: 'token'; readonly token: string } | { readonly kind: 'pending' | 'slower' };

async function poll(parts: DeviceFlowParts, endpoint: string, deviceCode: string): Promise<Polled> {
  const form = { grant_type: GRANT, device_code: deviceCode, client_id: parts.clientId };
  const answer = await call(parts, endpoint, form);
  if (answer.status === 200) return { kind: 'token', token: read(given, answer).id_token };
  const { error } = read(failed, answer);
  switch (error) {
    case 'authorization_pending':
      return { kind: 'pending' };
    case 'slow_down':
      return { kind: 'slower' };
    case 'expired_token':
      throw loginFailed('nobody entered the code in time');
    case 'access_denied':
      throw loginFailed('it was declined at the issuer');
    default:
      throw loginFailed(`the issuer refuses it: ${printable(error)}`);
  }
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** One bounded request over TLS of the one authority; no redirect is followed. A form makes it a POST. */
async function call(
  parts: DeviceFlowParts,
  url: string,
  form?: Readonly<Record<string, string>>,
): Promise<Answer> {
  const body = form && new URLSearchParams(form).toString();
  try {
    return await new Promise<Answer>((resolve, reject) => {
      const limit = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), parts.signal]);
      const sent = request(
        url,
        {
          ...{
            method: form ? 'POST' : 'GET',
            ca: parts.caPem,
            signal: limit,
            agent: false,
            minVersion: 'TLSv1.2',
          },
          headers: {
            accept: 'application/json',
            ...(body !== undefined && {
              'content-type': 'application/x-www-form-urlencoded',
              'content-length': Buffer.byteLength(body),
            }),
          },
        },
        (answer) => {
          const pieces: Buffer[] = [];
          let sizeBytes = 0;
          answer.on('data', (piece: Buffer) => {
            sizeBytes += piece.length;
            if (sizeBytes > LIMIT_BYTES) answer.destroy(new Error(`more than ${LIMIT_BYTES} bytes`));
            else pieces.push(piece);
          });
          answer.once('error', reject);
          answer.once('end', () =>
            resolve({ status: answer.statusCode ?? 0, body: jsonOf(Buffer.concat(pieces)) }),
          );
        },
      );
      sent.once('error', reject);
      sent.end(body);
    });
  } catch (reason) {
    if (parts.signal.aborted) throw new PlinthError('cli/interrupted', 'Cannot log in: interrupted');
    throw unreachable(parts.issuer, messageOf(reason), reason);
  }
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

function read<T>(schema: z.ZodType<T>, { status, body }: Answer): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw loginFailed(`the issuer gives another answer than expected (status ${status})`);
}

function printable(word: string): string {
  return /^[a-z0-9_]{1,64}$/.test(word) ? word : 'an error of its own';
}

function loginFailed(state: string): PlinthError {
  return new PlinthError('access/login-failed', `Cannot log in: ${state}`);
}

function unreachable(issuer: string, state: string, cause?: unknown): PlinthError {
  return new PlinthError('access/issuer-unreachable', `Cannot log in at ${issuer}: ${state}`, { cause });
}
