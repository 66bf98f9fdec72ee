import { connect } from 'node:net';
import { Code, ConnectError, type Transport } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { PlinthError } from '@plinth/base';

/** The socket of the node's containerd. */
export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';
const CALL_MS = 10_000;
/** A node has some hundred containers and images at most; each is told in less than 4 KiB. */
const ANSWER_LIMIT_BYTES = 4 * 1024 * 1024;
/** Where containerd keeps what belongs to Kubernetes, and what is the node's own beside it. CRI has no other. */
const NAMESPACE = { name: 'containerd-namespace', value: 'k8s.io' } as const;

/** A connection to the container runtime, for the clients of its services. */
export interface RuntimeClient {
  readonly transport: Transport;
  /** Passes a call on. @throws containers/runtime-unreachable, or containers/failed with the runtime's words */
  ask<T>(what: string, call: Promise<T>): Promise<T>;
  close(): void;
}

/** openRuntime gives a connection to the runtime at a socket; nothing is dialled before the first call. */
export function openRuntime(socket = CONTAINERD_SOCKET): RuntimeClient {
  // gRPC over a socket of the Unix family needs a name all the same.
  const baseUrl = 'http://localhost';
  const sessionManager = new Http2SessionManager(
    baseUrl,
    { idleConnectionTimeoutMs: 30_000 },
    { createConnection: () => connect(socket) },
  );
  const transport = createGrpcTransport({
    ...{ baseUrl, sessionManager, readMaxBytes: ANSWER_LIMIT_BYTES, defaultTimeoutMs: CALL_MS },
    acceptCompression: [],
    interceptors: [
      (next) => (request) => {
        request.header.set(NAMESPACE.name, NAMESPACE.value);
        return next(request);
      },
    ],
  });
  return {
    transport,
    async ask(what, call) {
      try {
        return await call;
      } catch (reason) {
        throw runtimeError(what, reason);
      }
    },
    close: () => sessionManager.abort(),
  };
}

/** runtimeError is what a failed call to the runtime becomes. */
export function runtimeError(what: string, reason: unknown): PlinthError {
  const { code, rawMessage } = ConnectError.from(reason);
  if (
    code === Code.Unavailable ||
    code === Code.DeadlineExceeded ||
    code === Code.Canceled ||
    isSocketError(reason)
  )
    return new PlinthError(
      'containers/runtime-unreachable',
      `Cannot ${what}: the container runtime does not answer, expected it at its socket`,
      { retryable: true, cause: reason },
    );
  return new PlinthError(
    'containers/failed',
    `Cannot ${what}: the container runtime says "${runtimeWords(rawMessage)}", expected it to be done`,
  );
}

/** runtimeWords cuts words of the runtime: they may quote what a registry sent, and addresses with credentials in them. */
export function runtimeWords(text: string): string {
  return text.replaceAll(/\/\/[^/@\s]*@/g, '//').slice(0, 500);
}

/** A socket that is not there fails below gRPC. */
function isSocketError(reason: unknown): boolean {
  for (let each = reason; each instanceof Error; each = each.cause)
    if ('code' in each && typeof each.code === 'string' && /^(?:ENOENT|ECONN|EPIPE|EACCES)/.test(each.code))
      return true;
  return false;
}
