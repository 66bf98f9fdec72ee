import { Code, ConnectError } from '@connectrpc/connect';
import { type ErrorCode, isErrorCode, messageOf, PlinthError } from '@plinth/base';
import { FailureSchema } from './gen/plinth/node/v1/kubernetes_pb.ts';

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** System errors which mean that nobody was reached. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  'EPIPE',
]);

/** connectionError turns a failed dial or handshake into a coded error. */
export function connectionError(reason: unknown, endpoint: Endpoint): PlinthError {
  if (reason instanceof PlinthError) return reason;
  const code = systemCode(reason);
  const text = messageOf(reason);
  const where = `${endpoint.address}:${endpoint.port}`;
  if (code === 'ETIMEDOUT') return coded('api/timeout', `Cannot reach ${where}: ${text}`, reason, true);
  if (UNREACHABLE.has(code)) {
    return coded('api/unreachable', `Cannot connect to ${where}: ${text}`, reason, true);
  }
  // OpenSSL names what the other side said an "alert"; only a server which looks at client certificates says these.
  if (/ALERT_(CERTIFICATE|UNKNOWN_CA|BAD_CERTIFICATE|ACCESS_DENIED)|ALERT_.*CERTIFICATE/.test(code)) {
    return coded(
      'api/forbidden',
      `Cannot call ${where}: it refused the client certificate (${text})`,
      reason,
    );
  }
  if (/CERT|SELF_SIGNED|ISSUER|ALTNAME/.test(code)) {
    return coded(
      'api/identity-mismatch',
      `Cannot verify ${where}: ${text}, expected a known authority`,
      reason,
    );
  }
  if (code.startsWith('ERR_SSL')) {
    return coded('api/protocol', `Cannot speak TLS 1.3 with ${where}: ${text}`, reason);
  }
  return coded('api/unreachable', `Cannot connect to ${where}: ${text}`, reason, true);
}

const BY_GRPC_CODE: Partial<Record<Code, ErrorCode>> = {
  [Code.DeadlineExceeded]: 'api/timeout',
  [Code.PermissionDenied]: 'api/forbidden',
  [Code.Unauthenticated]: 'api/forbidden',
  [Code.ResourceExhausted]: 'api/overloaded',
  [Code.Unimplemented]: 'api/unsupported',
  [Code.Unavailable]: 'api/unreachable',
  [Code.Aborted]: 'api/unreachable',
  // Whoever cancels a call here is not told so: the connection went away, as when the node reboots (RFC 9113, section 7).
  [Code.Canceled]: 'api/unreachable',
  [Code.FailedPrecondition]: 'api/refused',
  [Code.AlreadyExists]: 'api/refused',
  [Code.InvalidArgument]: 'api/bad-request',
  [Code.OutOfRange]: 'api/bad-request',
  [Code.NotFound]: 'api/not-found',
};

/**
 * callError turns a failed call into a coded error; `method` is its short name, for the message. A node that says why by
 * a Failure is quoted: its code where this client knows it, its message and its hint.
 */
export function callError(reason: unknown, method: string, endpoint: Endpoint): PlinthError {
  const own = causes(reason).find((cause) => cause instanceof PlinthError);
  if (own) return own;
  const failure = ConnectError.from(reason);
  const code = isNeverRead(reason) ? 'api/unreachable' : (BY_GRPC_CODE[failure.code] ?? 'api/failed');
  const [said] = failure.findDetails(FailureSchema);
  if (said) {
    return new PlinthError(isErrorCode(said.code) ? said.code : code, said.message, {
      ...(said.hint !== '' && { hint: said.hint }),
      details: { node: `${endpoint.address}:${endpoint.port}`, nodeCode: said.code },
      cause: reason,
    });
  }
  const retryable = code === 'api/unreachable' || code === 'api/timeout' || code === 'api/overloaded';
  const message = `Cannot call ${method} on ${endpoint.address}:${endpoint.port}: ${sayOf(failure)}`;
  return coded(code, message, reason, retryable);
}

/** Whether the other side refused a stream before it read the request, as one does that is going down (RFC 9113, section 8.7). */
function isNeverRead(reason: unknown): boolean {
  return causes(reason).some(
    (cause) =>
      systemCode(cause) === 'ERR_HTTP2_STREAM_ERROR' && messageOf(cause).includes('NGHTTP2_REFUSED_STREAM'),
  );
}

function sayOf({ code, rawMessage }: ConnectError): string {
  return code === Code.Canceled ? 'the connection ended before the answer' : rawMessage;
}

/** requirePart gives a part of an answer that must not be absent. @throws api/protocol */
export function requirePart<T>(part: T | undefined, method: string, name: string): T {
  if (part !== undefined) return part;
  throw new PlinthError(
    'api/protocol',
    `Cannot use the answer to ${method}: ${name} is missing, expected it`,
  );
}

function coded(code: ErrorCode, message: string, cause: unknown, retryable = false): PlinthError {
  return new PlinthError(code, message, { cause, retryable });
}

function systemCode(reason: unknown): string {
  // A dial to a name with several addresses fails with one error that holds the others.
  const first = reason instanceof AggregateError ? reason.errors[0] : reason;
  return first instanceof Error && 'code' in first ? String(first.code) : '';
}

function causes(reason: unknown): unknown[] {
  const chain: unknown[] = [];
  let next = reason;
  while (next instanceof Error && !chain.includes(next)) {
    chain.push(next);
    next = next.cause;
  }
  return chain;
}
