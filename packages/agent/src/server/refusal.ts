import { Code, ConnectError } from '@connectrpc/connect';
import { FailureSchema } from '@plinth/api';
import { type ErrorCode, PlinthError } from '@plinth/base';

/** The gRPC status of each code that a service throws; of every other one: failed precondition. */
export type Statuses = Partial<Record<ErrorCode, Code>>;

/** What the client did wrong, what is in its way, or what may pass. */
const STATUSES: Statuses = {
  'kubernetes/spec-invalid': Code.InvalidArgument,
  'kubernetes/address-unknown': Code.InvalidArgument,
  'kubernetes/layer-invalid': Code.InvalidArgument,
  'kubernetes/layer-missing': Code.NotFound,
  'kubernetes/invitation-refused': Code.FailedPrecondition,
  'kubernetes/api-server-silent': Code.Unavailable,
  'tunnel/peer-unknown': Code.NotFound,
  'tunnel/peer-unreachable': Code.Unavailable,
};

/**
 * refusalOf renders an error of a call: a PlinthError tells the client its code, message and hint as a Failure. Anything
 * else is a fault inside, whose text is not for clients.
 */
export function refusalOf(reason: unknown, statuses: Statuses = STATUSES): ConnectError {
  if (!(reason instanceof PlinthError)) return ConnectError.from(reason, Code.Internal);
  const { code, message, hint } = reason;
  const status = statuses[code] ?? Code.FailedPrecondition;
  return new ConnectError(
    message,
    status,
    undefined,
    [{ desc: FailureSchema, value: { code, message, hint } }],
    reason,
  );
}
