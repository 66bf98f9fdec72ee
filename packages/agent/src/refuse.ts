import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { FailureSchema } from '@plinth/api';
import { type ErrorCode, PlinthError } from '@plinth/base';

/** The gRPC status of each code that a service throws. */
export type Statuses = Partial<Record<ErrorCode, Code>>;

/**
 * refuse turns what a method throws into its answer: a PlinthError gets the status of its code and tells the client its
 * code, message and hint, which hold no secret. Anything else stays as it is.
 */
export function refuse(reason: unknown, statuses: Statuses): unknown {
  if (!(reason instanceof PlinthError)) return reason;
  const { code, message, hint } = reason;
  return new ConnectError(message, statuses[code] ?? Code.FailedPrecondition, undefined, [
    { desc: FailureSchema, value: create(FailureSchema, { code, message, hint }) },
  ]);
}

/** refusing runs a call and refuses as `refuse` does. */
export async function refusing<T>(statuses: Statuses, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (reason) {
    throw refuse(reason, statuses);
  }
}

/** refusingStream passes a stream on and refuses as `refuse` does. */
export async function* refusingStream<T>(statuses: Statuses, items: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (reason) {
    throw refuse(reason, statuses);
  }
}
