import type { CallOptions } from '@connectrpc/connect';

/** Turns what a call threw into a PlinthError. */
export type Fail = (reason: unknown, method: string) => Error;

/**
 * streamCall reads a stream that may live long: without a bound of time, and hung up when its reader stops.
 * @throws what `fail` makes of a failure
 */
export async function* streamCall<T>(
  method: string,
  fail: Fail,
  open: (options: CallOptions) => AsyncIterable<T>,
  timeoutMs = 0,
): AsyncGenerator<T> {
  const hangUp = new AbortController();
  try {
    yield* open({ timeoutMs, signal: hangUp.signal });
  } catch (reason) {
    throw fail(reason, method);
  } finally {
    hangUp.abort();
  }
}
