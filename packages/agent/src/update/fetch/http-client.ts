import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { messageOf, PlinthError } from '@plinth/base';
import { hasCode } from '../../sys/sys.ts';
import { MOST_AHEAD } from './ask-ahead.ts';

/** The head of an answer and its body, which has to be read to its end or destroyed. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: IncomingMessage;
}

export interface HttpRequest {
  readonly headers?: Readonly<Record<string, string>>;
  /** Until the head of an answer is there, for each redirect anew. */
  readonly timeoutMs: number;
  /** Ends the answer's body too. */
  readonly signal: AbortSignal;
}

/** GET over HTTP/1.1 with kept connections; no proxies, no cookies, no compression. */
export interface HttpClient {
  /** @throws update/unreachable, update/stalled; system errors of an aborted signal */
  get(url: URL, request: HttpRequest): Promise<HttpAnswer>;
  close(): void;
}

const REDIRECTS = 5;
/** One answer that is read, and those that are asked for meanwhile. */
const CONNECTIONS = 1 + MOST_AHEAD;

/**
 * openHttpClient opens nothing before the first request.
 * @param caPem authorities that servers' certificates must come from; default: those of the runtime
 */
export function openHttpClient(caPem: string | undefined): HttpClient {
  const options = { keepAlive: true, maxSockets: CONNECTIONS, maxFreeSockets: CONNECTIONS };
  const http = new HttpAgent(options);
  const https = new HttpsAgent({ ...options, minVersion: 'TLSv1.2', ...(caPem && { ca: caPem }) });

  const head = (url: URL, { headers, signal, timeoutMs }: HttpRequest): Promise<IncomingMessage> =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const secure = url.protocol === 'https:';
      const sent = (secure ? requestHttps : requestHttp)(url, {
        agent: secure ? https : http,
        signal,
        // What is compared, resumed and hashed are the bytes of the file.
        headers: { 'accept-encoding': 'identity', 'user-agent': 'plinthd', ...headers },
      });
      const timer = setTimeout(() => {
        const state = `no answer within ${timeoutMs} ms, expected one`;
        sent.destroy(new PlinthError('update/stalled', `Cannot fetch ${shown(url)}: ${state}`));
      }, timeoutMs);
      sent.once('response', (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      sent.once('error', (reason) => {
        clearTimeout(timer);
        // The server closed a kept connection in the moment it was used again; that says nothing about the server.
        if (sent.reusedSocket && hasCode(reason, 'ECONNRESET') && !signal.aborted)
          head(url, { signal, timeoutMs, ...(headers && { headers }) }).then(resolve, reject);
        else reject(reason);
      });
      sent.end();
    });

  return {
    async get(url, request) {
      let at = url;
      for (let redirects = 0; ; redirects++) {
        const body = await head(at, request).catch((reason: unknown) => {
          throw request.signal.aborted
            ? reason
            : PlinthError.from(reason, 'update/unreachable', `Cannot fetch ${shown(at)}`);
        });
        const { statusCode: status = 0, headers } = body;
        if (status < 300 || status > 399 || headers.location === undefined) return { status, headers, body };
        body.destroy();
        if (redirects === REDIRECTS) throw refused(url, `more than ${REDIRECTS} redirects`);
        at = redirected(at, headers.location);
      }
    },
    close() {
      http.destroy();
      https.destroy();
    },
  };
}

/** A redirect never leads from TLS to none: what was asked for over TLS is not to be seen on the way. */
function redirected(from: URL, location: string): URL {
  const to = URL.parse(location, from.href);
  if (to === null || !isWebAddress(to)) throw refused(from, 'a redirect to what is no web address');
  if (from.protocol === 'https:' && to.protocol !== 'https:')
    throw refused(from, 'a redirect away from https');
  return to;
}

/** Whether an address is http or https and carries no password. */
export function isWebAddress(url: URL): boolean {
  return ['http:', 'https:'].includes(url.protocol) && url.username === '' && url.password === '';
}

/** An address for messages: without its query, which may hold a token. */
export function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

function refused(url: URL, state: string): PlinthError {
  return new PlinthError('update/unreachable', `Cannot fetch ${shown(url)}: ${state}, expected the file`);
}

/** What went wrong with one address, for the list of all that were tried. */
export function brief(reason: unknown): string {
  return messageOf(reason).replace(/\s+/g, ' ').slice(0, 300);
}
