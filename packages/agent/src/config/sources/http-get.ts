import { randomInt } from 'node:crypto';
import { type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { errorCode } from '../../sys/sys.ts';

/** One request to a metadata service. */
export interface MetadataRequest {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fromLowPort: boolean;
  /** For the whole answer, however slowly it comes. */
  readonly timeoutMs: number;
  readonly limitBytes: number;
  /** Authorities for TLS, PEM; default: those of the runtime. */
  readonly caPem?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface MetadataAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** An answer that is longer than it may be. */
export class AnswerTooLarge extends Error {
  constructor(limitBytes: number) {
    super(`the answer is larger than ${limitBytes} bytes`);
    this.name = 'AnswerTooLarge';
  }
}

/** What is asked of an address. */
export type AddressRequest = Pick<
  MetadataRequest,
  'headers' | 'timeoutMs' | 'limitBytes' | 'caPem' | 'signal'
>;

/** getAddress asks for what an https address names, as httpGet does: no redirect is followed, and no proxy used. */
export function getAddress(url: URL, asked: AddressRequest): Promise<MetadataAnswer> {
  return httpGet({
    ...asked,
    ...{ tls: true, method: 'GET', fromLowPort: false },
    // An IPv6 address stands in brackets in a URL, and without them everywhere else.
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 443),
    path: `${url.pathname}${url.search}`,
  });
}

/** Ports that only root may send from; those below are for services. */
const LOW_PORTS = [600, 1024] as const;
const PORT_TRIES = 8;
/** What a port that is taken is refused with: when it is bound, or when a connection from it lingers. */
const PORT_TAKEN: readonly string[] = ['EADDRINUSE', 'EADDRNOTAVAIL'];

/**
 * httpGet makes one request and reads one answer; it follows no redirect. A port of our own that is taken is replaced
 * by another. Throws system errors, AnswerTooLarge, and Error for an answer that does not come in time.
 */
export async function httpGet(asked: MetadataRequest): Promise<MetadataAnswer> {
  const limit = AbortSignal.timeout(asked.timeoutMs);
  for (let tries = 1; ; tries++) {
    try {
      const answer = await send(asked, asked.signal ? AbortSignal.any([limit, asked.signal]) : limit);
      return {
        status: answer.statusCode ?? 0,
        headers: answer.headers,
        body: await collect(answer, asked.limitBytes),
      };
    } catch (reason) {
      if (limit.aborted) throw new Error(`no answer within ${asked.timeoutMs} ms`);
      const taken = asked.fromLowPort && PORT_TAKEN.includes(errorCode(reason));
      if (!taken || tries === PORT_TRIES) throw reason;
    }
  }
}

function send(asked: MetadataRequest, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { host, port, method, path, headers } = asked;
    const options = {
      ...{ host, port, method, path, headers, signal },
      // No connection is kept: there is one question, and it is asked once a boot.
      agent: false,
      ...(asked.fromLowPort && { localPort: randomInt(...LOW_PORTS) }),
    };
    const sent = asked.tls
      ? requestTls({
          ...options,
          minVersion: 'TLSv1.2',
          ...(asked.caPem !== undefined && { ca: asked.caPem }),
        })
      : requestPlain(options);
    sent.once('response', resolve);
    sent.once('error', reject);
    sent.end();
  });
}

async function collect(answer: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > limitBytes) {
      answer.destroy();
      throw new AnswerTooLarge(limitBytes);
    }
    chunks.push(chunk);
  }
  if (!answer.complete) throw new Error('the answer is cut off');
  return Buffer.concat(chunks);
}
