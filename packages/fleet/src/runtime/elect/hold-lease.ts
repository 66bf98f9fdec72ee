import { PlinthError } from '@plinth/base';
import { type KubeConnection, statusError } from '@plinth/kube';
import type { Wait } from '../queue/wait.ts';
import {
  type LeaseTimes,
  leaseSpec,
  mayTake,
  type Observation,
  observe,
  readLease,
  type SeenLease,
} from './judge-lease.ts';

export interface HoldLeaseParts {
  readonly connection: KubeConnection;
  readonly namespace: string;
  readonly name: string;
  /** Unlike any other process, also one of the same pod before. */
  readonly self: string;
  readonly times: LeaseTimes;
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly wait: Wait;
  readonly random: () => number;
  /** This process leads until that moment, unless it is told a later one. */
  leading(untilMs: number): void;
  say(text: string): void;
}

const LEASES = '/apis/coordination.k8s.io/v1/namespaces';

/**
 * holdLease takes the lease when it is to be had and renews it; it ends when the lease that was held is lost, or with the signal, upon which
 * the lease is let go of so that another begins at once. Each write is a replacement of the version that was read, or written last: of two takers one fails.
 */
export async function holdLease(parts: HoldLeaseParts, signal: AbortSignal): Promise<'lost' | 'released'> {
  const { times, nowMs, wait, random } = parts;
  let seenSince: Observation | undefined;
  let own: SeenLease | undefined;
  let untilMs = 0;
  while (!signal.aborted) {
    const askedMs = nowMs();
    try {
      const held = await tryTake(parts, { seenSince, own }, signal);
      ({ seenSince, own } = held);
      // Counted from before the call: the answer may have been long on its way.
      if (!held.isOurs && untilMs > 0) return 'lost';
      if (held.isOurs) {
        untilMs = askedMs + times.renewDeadlineMs;
        parts.leading(untilMs);
      }
    } catch (reason) {
      if (signal.aborted) break;
      parts.say(`lease: ${reason instanceof Error ? reason.message : String(reason)}`);
    }
    if (untilMs > 0 && nowMs() >= untilMs) return 'lost';
    await wait(times.retryMs * (0.8 + random() * 0.4), signal);
  }
  if (untilMs > 0) await release(parts).catch(() => undefined); // it runs out by itself
  return 'released';
}

/** What is known of the lease. */
interface Held {
  readonly seenSince: Observation | undefined;
  /** As it was when this process wrote it last. */
  readonly own: SeenLease | undefined;
}

async function tryTake(
  parts: HoldLeaseParts,
  { seenSince: before, own }: Held,
  signal: AbortSignal,
): Promise<Held & { readonly isOurs: boolean }> {
  const { connection, namespace, name, self, times, nowMs } = parts;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(times.renewDeadlineMs)]);
  // A renewal needs no look: it replaces the version this process wrote, and is refused when there is another.
  const renewed = own && (await put(parts, own, limit));
  if (renewed) return renewed;
  const asked = { method: 'GET', path: `${LEASES}/${namespace}/leases/${name}` } as const;
  const got = await connection.call(asked, limit);
  if (got.status !== 200 && got.status !== 404) throw statusError(asked, got);
  const seen = got.status === 200 ? readLease(JSON.parse(got.text)) : undefined;
  const seenSince = seen && observe(before, seen, nowMs());
  if (seen && seenSince && !mayTake(seen, seenSince, self, nowMs()))
    return { isOurs: false, seenSince, own: undefined };
  const taken = await put(parts, seen, limit);
  if (taken) return taken;
  // Somebody was faster, or touched it: the next look tells whose it is.
  throw new PlinthError('kube/conflict', 'Cannot take the lease: it has changed', { retryable: true });
}

/** @param seen what is replaced; undefined: there is none. @returns undefined: it is another by now */
async function put(
  { connection, namespace, name, self, times, nowMs }: HoldLeaseParts,
  seen: SeenLease | undefined,
  limit: AbortSignal,
): Promise<(Held & { readonly isOurs: true }) | undefined> {
  const path = `${LEASES}/${namespace}/leases`;
  const body = {
    ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
    metadata: { name, namespace, ...(seen && { resourceVersion: seen.resourceVersion }) },
    spec: leaseSpec(self, seen, new Date(), times),
  };
  const asked = seen
    ? ({ method: 'PUT', path: `${path}/${name}`, body } as const)
    : ({ method: 'POST', path, body } as const);
  const answer = await connection.call(asked, limit);
  if (answer.status === 409 || answer.status === 404) return undefined;
  if (answer.status >= 300) throw statusError(asked, answer);
  const own = readLease(JSON.parse(answer.text));
  return { isOurs: true, seenSince: observe(undefined, own, nowMs()), own };
}

async function release({ connection, namespace, name, self, times }: HoldLeaseParts): Promise<void> {
  const path = `${LEASES}/${namespace}/leases/${name}`;
  const limit = AbortSignal.timeout(2_000);
  const seen = readLease(JSON.parse((await connection.call({ method: 'GET', path }, limit)).text));
  if (seen.holder !== self) return;
  const body = {
    ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
    metadata: { name, namespace, resourceVersion: seen.resourceVersion },
    spec: leaseSpec('', seen, new Date(), times),
  };
  await connection.call({ method: 'PUT', path, body }, limit);
}
