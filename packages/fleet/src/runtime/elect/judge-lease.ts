import { momentMs, rawAt, textOf } from '../../view/project/raw.ts';

/** Times of an election, in milliseconds. */
export interface LeaseTimes {
  /** A holder that was not heard of for so long has none any more. */
  readonly durationMs: number;
  /** A holder that could not renew for so long stops; shorter than durationMs, so that it stops before another begins. */
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}

export const LEASE_TIMES: LeaseTimes = { durationMs: 10_000, renewDeadlineMs: 6_000, retryMs: 1_500 };

/** A Lease as it was read. */
export interface SeenLease {
  readonly resourceVersion: string;
  /** Empty: let go of. */
  readonly holder: string;
  readonly renewedAtMs: number;
  readonly transitions: number;
  readonly durationMs: number;
}

/** readLease reads a Lease of coordination.k8s.io/v1. */
export function readLease(raw: unknown): SeenLease {
  const spec = rawAt(raw, 'spec');
  const number = (value: unknown) => (typeof value === 'number' ? value : 0);
  return {
    resourceVersion: textOf(rawAt(raw, 'metadata')['resourceVersion']),
    holder: textOf(spec['holderIdentity']),
    renewedAtMs: momentMs(spec['renewTime']),
    transitions: number(spec['leaseTransitions']),
    durationMs: number(spec['leaseDurationSeconds']) * 1000,
  };
}

/** When a state of the lease was first seen by this process, by its own monotonic clock: clocks of others have no say. */
export interface Observation {
  readonly resourceVersion: string;
  readonly atMs: number;
}

/** observe keeps when the lease last changed; pure. */
export function observe(before: Observation | undefined, seen: SeenLease, nowMs: number): Observation {
  return before?.resourceVersion === seen.resourceVersion
    ? before
    : { resourceVersion: seen.resourceVersion, atMs: nowMs };
}

/** mayTake tells whether a lease is to be had: it is one's own, was let go of, or nobody renewed it for its whole time; pure. */
export function mayTake(seen: SeenLease, since: Observation, self: string, nowMs: number): boolean {
  if (seen.holder === self || seen.holder === '') return true;
  return nowMs - since.atMs > seen.durationMs;
}

/** leaseSpec is what the holder writes. @param holder empty: it lets go */
export function leaseSpec(holder: string, seen: SeenLease | undefined, now: Date, times: LeaseTimes): object {
  const isNew = seen?.holder !== holder;
  return {
    holderIdentity: holder,
    leaseDurationSeconds: Math.ceil(times.durationMs / 1000),
    // Microseconds, as Kubernetes writes them.
    renewTime: now.toISOString().replace('Z', '000Z'),
    ...(isNew && { acquireTime: now.toISOString().replace('Z', '000Z') }),
    leaseTransitions: (seen?.transitions ?? 0) + (isNew && holder !== '' ? 1 : 0),
  };
}
