import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import { type HttpsClient, type HttpsEndpoint, openHttps, parseJson } from '../../https/call-https.ts';

/**
 * KubeClient asks an API server for a handful of objects. Failures are PlinthError: kubernetes/api-unreachable (may be
 * tried again), kubernetes/api-refused (`details.status` is the HTTP status), kubernetes/api-answer-invalid,
 * kubernetes/credentials-unusable.
 */
export interface KubeClient {
  /** An object or list, checked. */
  get<T>(path: string, schema: z.ZodType<T>): Promise<T>;
  /** An object, undefined when there is none. */
  find<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined>;
  create(path: string, object: object): Promise<void>;
  /** Replaces an object; refused with status 409 when it changed since it was read. */
  replace(path: string, object: object): Promise<void>;
  /** Changes the named fields of an object (JSON merge patch). */
  patch(path: string, change: object): Promise<void>;
  /** Deletes an object; fine when there is none. */
  remove(path: string): Promise<void>;
  close(): void;
}

export interface KubeClientOptions {
  /** Where to ask and as whom; called before each request, since certificates are renewed under a running plinthd. */
  endpoint(): Promise<HttpsEndpoint>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 15_000;
/** A list of certificate requests or tokens of a thousand nodes stays below it. */
const ANSWER_LIMIT_BYTES = 16 * 1024 * 1024;
const MESSAGE_LIMIT = 300;

const statusSchema = z.object({ reason: z.string().optional(), message: z.string().optional() });

/** openKubeClient gives a client; nothing is sent before the first call. */
export function openKubeClient({ endpoint, timeoutMs = TIMEOUT_MS, signal }: KubeClientOptions): KubeClient {
  let current: { key: string; client: HttpsClient } | undefined;
  const client = async (): Promise<HttpsClient> => {
    const wanted = await endpoint();
    const key = JSON.stringify(wanted);
    if (current?.key !== key) {
      current?.client.close();
      current = { key, client: openHttps(wanted) };
    }
    return current.client;
  };
  const ask = async (method: string, path: string, body?: object, contentType?: string) => {
    const https = await client();
    try {
      return await https.call({ method, path, body, contentType, timeoutMs, signal }, ANSWER_LIMIT_BYTES);
    } catch (reason) {
      const state = reason instanceof Error ? reason.message : 'no connection';
      throw new PlinthError(
        'kubernetes/api-unreachable',
        `Cannot ${verb(method)} ${plain(path)}: ${state}, expected an answer`,
        {
          retryable: true,
        },
      );
    }
  };
  const write = async (method: string, path: string, object?: object, contentType?: string) => {
    const { status, body } = await ask(method, path, object, contentType);
    if (status < 200 || status > 299) throw refused(method, path, status, body);
  };
  const find = async <T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> => {
    const { status, body } = await ask('GET', path);
    if (status === 404) return undefined;
    if (status !== 200) throw refused('GET', path, status, body);
    const parsed = schema.safeParse(parseJson(body));
    if (parsed.success) return parsed.data;
    const where = parsed.error.issues[0]?.path.join('.') || 'the answer';
    throw new PlinthError(
      'kubernetes/api-answer-invalid',
      `Cannot read ${plain(path)}: ${where} is not as expected, expected an object of a supported version`,
    );
  };
  return {
    find,
    async get(path, schema) {
      const found = await find(path, schema);
      if (found === undefined) throw refused('GET', path, 404, Buffer.from('{}'));
      return found;
    },
    create: (path, object) => write('POST', path, object),
    replace: (path, object) => write('PUT', path, object),
    patch: (path, change) => write('PATCH', path, change, 'application/merge-patch+json'),
    async remove(path) {
      const { status, body } = await ask('DELETE', path);
      if (status !== 404 && (status < 200 || status > 299)) throw refused('DELETE', path, status, body);
    },
    close: () => current?.client.close(),
  };
}

/** isRefusal tells whether an error is the API server's refusal with that HTTP status. */
export function isRefusal(reason: unknown, status: number): boolean {
  return (
    reason instanceof PlinthError &&
    reason.code === 'kubernetes/api-refused' &&
    reason.details['status'] === status
  );
}

function refused(method: string, path: string, status: number, body: Buffer): PlinthError {
  const said = statusSchema.safeParse(parseJson(body)).data;
  // A message may repeat a value that was sent, so of a Secret only the reason is kept.
  const message = path.includes('/secrets') ? undefined : said?.message?.slice(0, MESSAGE_LIMIT);
  const state = [`HTTP status ${status}`, said?.reason, message].filter((part) => part).join(', ');
  return new PlinthError(
    'kubernetes/api-refused',
    `Cannot ${verb(method)} ${plain(path)}: ${state}, expected to be let`,
    { details: { status }, retryable: status === 409 || status === 429 || status >= 500 },
  );
}

function verb(method: string): string {
  return { GET: 'read', POST: 'create', PUT: 'replace', PATCH: 'change', DELETE: 'delete' }[method] ?? method;
}

/** A path without the query; the name of a token's Secret holds the public half of the token only. */
function plain(path: string): string {
  return path.split('?')[0] ?? path;
}
