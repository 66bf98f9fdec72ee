import { PlinthError } from '@plinth/base';
import { refusalOf, type Statuses } from './server/refusal.ts';

export type { Statuses } from './server/refusal.ts';

/**
 * refuse turns what a method throws into its answer: a PlinthError gets the status of its code and tells the client its
 * code, message and hint, which hold no secret. Anything else stays as it is.
 */
export function refuse(reason: unknown, statuses: Statuses): unknown {
  return reason instanceof PlinthError ? refusalOf(reason, statuses) : reason;
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
