import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';

/** A server and who we are to it. Key and certificates are PEM. */
export interface HttpsEndpoint {
  readonly host: string;
  readonly port: number;
  /** Authorities the server's certificate must come from. */
  readonly caPem: string;
  /** Absent for a caller without a name. */
  readonly certificatePem?: string;
  readonly keyPem?: string;
}

export interface HttpsCall {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly contentType?: string | undefined;
  /** How long the whole answer may take; for a stream, how long it may be silent. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpsAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** A client of one server; it keeps few connections and lets go of them when nothing is asked. */
export interface HttpsClient {
  /** Throws Error whose message is fit to be shown, without anything that was sent. */
  call(call: HttpsCall, limitBytes: number): Promise<HttpsAnswer>;
  /** The answer as it comes; the reader bounds it. Throws as `call`. */
  open(call: HttpsCall): Promise<IncomingMessage>;
  close(): void;
}

const CONNECTIONS = 4;

/** openHttps gives a client of a server; nothing is sent before the first call. */
export function openHttps(endpoint: HttpsEndpoint): HttpsClient {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: CONNECTIONS,
    maxFreeSockets: 1,
    ca: endpoint.caPem,
    cert: endpoint.certificatePem,
    key: endpoint.keyPem,
    minVersion: 'TLSv1.2',
  });
  const send = (call: HttpsCall, timeoutMs: number | undefined, signal: AbortSignal | undefined) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const body = call.body === undefined ? undefined : JSON.stringify(call.body);
      const headers: Record<string, string | number> = { accept: 'application/json' };
      if (body !== undefined) {
        headers['content-type'] = call.contentType ?? 'application/json';
        headers['content-length'] = Buffer.byteLength(body);
      }
      const sent = request(
        {
          host: endpoint.host,
          port: endpoint.port,
          agent,
          method: call.method,
          path: call.path,
          headers,
          ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
          ...(signal === undefined ? {} : { signal }),
        },
        resolve,
      );
      sent.once('timeout', () => sent.destroy(new Error(`no answer within ${call.timeoutMs} ms`)));
      sent.once('error', reject);
      sent.end(body);
    });
  return {
    async call(call, limitBytes) {
      const limit = AbortSignal.timeout(call.timeoutMs);
      try {
        const answer = await send(
          call,
          undefined,
          call.signal ? AbortSignal.any([limit, call.signal]) : limit,
        );
        return { status: answer.statusCode ?? 0, body: await collect(answer, limitBytes) };
      } catch (reason) {
        throw limit.aborted ? new Error(`no answer within ${call.timeoutMs} ms`) : reason;
      }
    },
    open: (call) => send(call, call.timeoutMs, call.signal),
    close: () => agent.destroy(),
  };
}

async function collect(answer: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > limitBytes) {
      answer.destroy();
      throw new Error(`the answer is larger than ${limitBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** parseJson gives the value of a JSON text, undefined when it is none. */
export function parseJson(bytes: Buffer | string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
