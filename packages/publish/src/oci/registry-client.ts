import { createReadStream } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { messageOf, PlinthError } from '@plinth/base';
import type { Credentials } from './credentials.ts';
import type { OciReference } from './reference.ts';

/** What a request carries. */
export type Body =
  | { readonly bytes: Uint8Array; readonly type: string }
  | { readonly path: string; readonly sizeBytes: number; readonly type: string };

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface AskOptions {
  readonly body?: Body;
  readonly accept?: string;
}

const IDLE_TIMEOUT_MS = 60_000;
const ANSWER_LIMIT_BYTES = 4 * 1024 * 1024;

/** A registry, asked with whatever it wants to see first: nothing, name and password, or a token made from them. */
export class RegistryClient {
  readonly #reference: OciReference;
  readonly #credentials: Credentials | undefined;
  readonly #signal: AbortSignal | undefined;
  #authorization: string | undefined;

  constructor(
    reference: OciReference,
    credentials: Credentials | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.#reference = reference;
    this.#credentials = credentials;
    this.#signal = signal;
  }

  /**
   * Asks for a path below /v2/NAME/, or an address that the registry itself gave. A refusal without credentials is answered with
   * them once.
   * @throws publish/registry-denied, publish/registry-failed, cli/interrupted
   */
  async ask(method: string, where: string, options: AskOptions = {}): Promise<Answer> {
    const { origin, repository } = this.#reference;
    const url = new URL(where, `${origin}/v2/${repository}/`);
    // What is secret goes to the registry alone, wherever it sends us.
    if (url.origin !== origin) throw this.failed(method, `it leads to ${url.origin}, expected ${origin}`);
    const first = await this.#send(method, url, options, this.#authorization);
    if (first.status !== 401) return this.#checked(method, first);
    this.#authorization = await this.#authorize(String(first.headers['www-authenticate'] ?? ''));
    const second = await this.#send(method, url, options, this.#authorization);
    return this.#checked(method, second);
  }

  /** What to throw when an answer is not what was expected. */
  failed(what: string, state: string, cause?: unknown): PlinthError {
    return new PlinthError(
      'publish/registry-failed',
      `Cannot publish to ${this.#reference.host}/${this.#reference.repository}: ${what}: ${state}`,
      cause === undefined ? { retryable: true } : { retryable: true, cause },
    );
  }

  #checked(method: string, answer: Answer): Answer {
    if (answer.status !== 401 && answer.status !== 403) return answer;
    throw this.#denied(method, `it answers ${answer.status}`);
  }

  #denied(what: string, state: string): PlinthError {
    const { host, repository } = this.#reference;
    const known = this.#credentials ? 'with your credentials' : `no credentials for ${host} were found`;
    return new PlinthError(
      'publish/registry-denied',
      `Cannot publish to ${host}/${repository}: ${what}: ${state}, ${known}`,
    );
  }

  async #authorize(challenge: string): Promise<string> {
    const [, scheme = '', rest = ''] = /^(\w+)\s*(.*)$/s.exec(challenge) ?? [];
    const basic = this.#credentials && basicOf(this.#credentials);
    if (scheme.toLowerCase() === 'basic') {
      if (basic === undefined) throw this.#denied('log in', 'it wants a name and a password');
      return basic;
    }
    const fields = Object.fromEntries(
      [...rest.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
    );
    const { realm = '', service = '', scope = '' } = fields;
    const isSafe = realm.startsWith('https://') || this.#reference.origin.startsWith('http://');
    if (scheme.toLowerCase() !== 'bearer' || !URL.canParse(realm) || !isSafe) {
      throw this.#denied('log in', 'it asks for what is not known here');
    }
    const url = new URL(realm);
    url.searchParams.set('service', service);
    url.searchParams.set('scope', scope);
    const answer = await this.#send('GET', url, {}, basic);
    const token = answer.status === 200 ? readToken(answer.body) : undefined;
    if (token === undefined) throw this.#denied('log in', `its token service answers ${answer.status}`);
    return `Bearer ${token}`;
  }

  async #send(
    method: string,
    url: URL,
    { body, accept }: AskOptions,
    authorization: string | undefined,
  ): Promise<Answer> {
    const request = (url.protocol === 'http:' ? httpRequest : httpsRequest)(url, {
      method,
      timeout: IDLE_TIMEOUT_MS,
      ...(this.#signal && { signal: this.#signal }),
      headers: {
        ...(accept !== undefined && { accept }),
        ...(authorization !== undefined && { authorization }),
        ...(body && { 'content-type': body.type }),
        'content-length': body ? ('bytes' in body ? body.bytes.length : body.sizeBytes) : 0,
      },
    });
    // The first error is the answer to the call; what follows it when the connection is torn down is none.
    request.on('error', () => undefined);
    request.once('timeout', () => request.destroy(new Error('it does not answer')));
    try {
      const answered = new Promise<IncomingMessage>((resolve, reject) => {
        request.once('response', resolve).once('error', reject);
      });
      // Both at once: a registry may refuse before it has read all.
      const sent = body && 'path' in body ? pipeline(createReadStream(body.path), request) : undefined;
      if (!sent) request.end(body && 'bytes' in body ? body.bytes : undefined);
      const [response] = await Promise.all([answered, sent?.catch(() => answered)]);
      return { status: response.statusCode ?? 0, headers: response.headers, body: await readAll(response) };
    } catch (reason) {
      request.destroy();
      if (this.#signal?.aborted) throw new PlinthError('cli/interrupted', 'Cannot publish: interrupted');
      throw this.failed(method, messageOf(reason), reason);
    }
  }
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > ANSWER_LIMIT_BYTES) throw new Error('its answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function basicOf({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function readToken(body: Buffer): string | undefined {
  try {
    const { token, access_token: accessToken } = JSON.parse(body.toString('utf8'));
    const found: unknown = token ?? accessToken;
    return typeof found === 'string' && found !== '' ? found : undefined;
  } catch {
    // Not JSON is no token.
    return undefined;
  }
}
