import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { messageOf, PlinthError } from '@plinth/base';
import type { ClusterAccess } from './access.ts';

/** One call of the API server. */
export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute below the server: "/apis/apps/v1/deployments". */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Kind of patch; absent: application/json. */
  readonly contentType?: string;
  /** A longer answer ends the call; absent: 128 MiB. */
  readonly limitBytes?: number;
}

/** What the server answered; a status is not an error here. */
export interface KubeAnswer {
  readonly status: number;
  readonly text: string;
  /** How long the server asks to wait before the same call again. */
  readonly retryAfterMs: number | undefined;
}

/** Connections to one API server, kept for the calls that follow. */
export interface KubeConnection extends Disposable {
  readonly server: URL;
  /** One call, its answer whole. @throws kube/unreachable when no answer came */
  call(asked: KubeRequest, signal: AbortSignal): Promise<KubeAnswer>;
  /** The answer as it comes: a watch. It has a connection of its own, and no time limit. @throws kube/unreachable */
  open(asked: KubeRequest, signal: AbortSignal): Promise<IncomingMessage>;
}

export interface ConnectionOptions {
  /** Connections that calls share; watches have their own. */
  readonly maxSockets?: number;
  /** For one call, the answer included. */
  readonly timeoutMs?: number;
}

const ANSWER_LIMIT_BYTES = 128 * 1024 * 1024;
const TIMEOUT_MS = 60_000;
/** Kubernetes replaces the token of a pod some time before it ends. */
const TOKEN_AGE_MS = 60_000;

/** openKubeConnection connects to an API server when it is first called. Disposing ends what is open. */
export function openKubeConnection(
  access: ClusterAccess,
  { maxSockets = 8, timeoutMs = TIMEOUT_MS }: ConnectionOptions = {},
): KubeConnection {
  const identity = {
    keepAlive: true,
    minVersion: 'TLSv1.2',
    ...(access.authorityPem !== undefined && { ca: access.authorityPem }),
    ...(access.certificatePem !== undefined && { cert: access.certificatePem, key: access.keyPem }),
    ...(access.serverName !== undefined && { servername: access.serverName }),
    rejectUnauthorized: !access.isUnchecked,
  } as const;
  const calls = new Agent({ ...identity, maxSockets });
  const watches = new Agent(identity);
  const token = tokenReader(access);
  const send = async (agent: Agent, asked: KubeRequest, signal: AbortSignal) => {
    const text = asked.body === undefined ? undefined : JSON.stringify(asked.body);
    const headers: Record<string, string | number> = { accept: 'application/json' };
    const bearer = await token();
    if (bearer !== undefined) headers['authorization'] = `Bearer ${bearer}`;
    if (text !== undefined) {
      headers['content-type'] = asked.contentType ?? 'application/json';
      headers['content-length'] = Buffer.byteLength(text);
    }
    const sent = request(urlOf(access.server, asked), { agent, method: asked.method, headers, signal });
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve);
      // Without a listener a late error of the socket would end the process.
      sent.on('error', (reason) => reject(unreachable(access.server, reason)));
    });
    sent.end(text);
    return { sent, answer };
  };
  return {
    server: access.server,
    async call(asked, signal) {
      const { sent, answer } = await send(calls, asked, signal);
      const late = () => sent.destroy(new Error(`no answer in ${timeoutMs / 1000} s`));
      const timer = setTimeout(late, timeoutMs);
      try {
        return await readAnswer(await answer, asked.limitBytes ?? ANSWER_LIMIT_BYTES, access.server);
      } finally {
        clearTimeout(timer);
      }
    },
    async open(asked, signal) {
      return (await send(watches, asked, signal)).answer;
    },
    [Symbol.dispose]() {
      calls.destroy();
      watches.destroy();
    },
  };
}

function urlOf(server: URL, { path, query = {} }: KubeRequest): URL {
  // A server may lie below a path of its own.
  const url = new URL(`${server.pathname.replace(/\/$/, '')}${path}`, server);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

async function readAnswer(answer: IncomingMessage, limitBytes: number, server: URL): Promise<KubeAnswer> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      sizeBytes += piece.length;
      if (sizeBytes > limitBytes) throw new Error('its answer is too large');
      pieces.push(piece);
    }
  } catch (reason) {
    throw unreachable(server, reason);
  }
  const seconds = Number(answer.headers['retry-after']);
  return {
    status: answer.statusCode ?? 0,
    text: Buffer.concat(pieces).toString('utf8'),
    retryAfterMs: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined,
  };
}

function tokenReader({ token, tokenFile }: ClusterAccess): () => Promise<string | undefined> {
  if (tokenFile === undefined) return async () => token;
  let held = token;
  let readAtMs = performance.now();
  return async () => {
    if (performance.now() - readAtMs < TOKEN_AGE_MS) return held;
    // While the file is being replaced, the token before still holds.
    held = (await readFile(tokenFile, 'utf8').catch(() => held ?? '')).trim();
    readAtMs = performance.now();
    return held;
  };
}

function unreachable(server: URL, cause: unknown): PlinthError {
  return new PlinthError(
    'kube/unreachable',
    `Cannot reach the API server at ${server.host}: ${messageOf(cause)}`,
    {
      retryable: true,
      cause,
    },
  );
}
