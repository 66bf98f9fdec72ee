import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ContextValues,
  createConnectRouter,
} from '@connectrpc/connect';
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from '@connectrpc/connect-node';
import { nodeCallLimitMs } from '@plinth/api';
import type { Guard } from './guard.ts';

export interface AdapterOptions {
  readonly routes: (router: ConnectRouter) => void;
  readonly guard: Guard;
  readonly contextValues: (request: Http2ServerRequest) => ContextValues;
  /** Why methods that are not served here are not; told to whoever calls one. Default: they are unknown (HTTP 404). */
  readonly instead?: string | undefined;
  /** How long a client may let a message it sends, or one it shall take, stand still. */
  readonly stallLimitMs: number;
}

export type RequestHandler = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

const REQUEST_LIMIT_BYTES = 64 * 1024;
/** What a client may ask for; a stream without a deadline lives until one side ends it. */
const DEADLINE_LIMIT_MS = 24 * 60 * 60_000;
const TRAILERS_MS = 1_000;

/**
 * rpcHandler serves gRPC and nothing else. It is connect's own adapter with what that lacks: a unary call without a deadline
 * gets one, and a client that stops sending or reading in the middle loses its stream.
 */
export function rpcHandler(options: AdapterOptions): RequestHandler {
  const { routes, guard, contextValues, stallLimitMs, instead } = options;
  const router = createConnectRouter({
    grpcWeb: false,
    connect: false,
    // The default offers gzip and brotli: it costs four times the CPU, and lets a small request grow large.
    acceptCompression: [],
    readMaxBytes: REQUEST_LIMIT_BYTES,
    maxTimeoutMs: DEADLINE_LIMIT_MS,
    requestGate: guard.requestGate,
    interceptors: [guard.interceptor],
  });
  routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request, response) => {
    // Without a listener, a stream that its client breaks would end the process.
    response.stream.on('error', () => {});
    const handler = handlers.get(request.url);
    if (!handler) {
      if (instead === undefined) response.writeHead(404);
      else response.writeHead(...refusalOfPath(instead));
      response.end();
      return;
    }
    const { methodKind } = handler.method;
    if (methodKind === 'unary') request.headers['grpc-timeout'] ??= `${nodeCallLimitMs}m`;
    endWhenUnread(response, stallLimitMs);
    endAfterAnswer(response);
    const incoming = universalRequestFromNodeRequest(request, response, undefined, contextValues(request));
    // A client that may send many messages may also be silent for long; one that sends one message sends it at once.
    const sendsOne = methodKind === 'unary' || methodKind === 'server_streaming';
    const body = sendsOne ? withoutStall(request, stallLimitMs) : request;
    handler({ ...incoming, body })
      .then((answer) => universalResponseToNodeResponse(answer, response))
      .catch(() => response.stream.destroy()); // the client broke it, or left: nobody is there to be told
  };
}

/** A gRPC answer that is its own end: FAILED_PRECONDITION and a message. */
function refusalOfPath(why: string): [status: number, headers: Record<string, string>] {
  const headers = { 'grpc-status': String(Code.FailedPrecondition), 'grpc-message': encodeURIComponent(why) };
  return [200, { 'content-type': 'application/grpc', ...headers }];
}

/** The answer is complete: what the client has not sent yet is not waited for (RFC 9113, 8.1). */
function endAfterAnswer({ stream }: Http2ServerResponse): void {
  stream.once('finish', () => {
    // At once, the trailers with the status would be lost.
    const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), TRAILERS_MS);
    stream.once('close', () => clearTimeout(timer));
  });
}

/** Ends a stream whose client does not read what it asked for. One that has nothing to say just now may be silent. */
function endWhenUnread({ stream }: Http2ServerResponse, stallLimitMs: number): void {
  stream.setTimeout(stallLimitMs, () => {
    if (stream.writableLength > 0) stream.destroy();
  });
}

/** Passes a body on as long as each piece comes in time. */
async function* withoutStall<T>(body: AsyncIterable<T>, stallLimitMs: number): AsyncGenerator<T> {
  const pieces = body[Symbol.asyncIterator]();
  for (;;) {
    const piece = await inTime(pieces.next(), stallLimitMs);
    if (piece.done) return;
    yield piece.value;
  }
}

function inTime<T>(work: Promise<T>, limitMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () =>
      reject(new ConnectError(`nothing of the message came for ${limitMs} ms`, Code.DeadlineExceeded));
    const timer = setTimeout(late, limitMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
