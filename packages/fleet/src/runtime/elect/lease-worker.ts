import { parentPort, workerData } from 'node:worker_threads';
import { type ClusterAccess, openKubeConnection } from '@plinth/kube';
import { waitForReal } from '../queue/wait.ts';
import { holdLease } from './hold-lease.ts';
import type { LeaseTimes } from './judge-lease.ts';

/** What the thread is given. */
export interface LeaseWorkerData {
  readonly access: Omit<ClusterAccess, 'server'> & { readonly server: string };
  readonly namespace: string;
  readonly name: string;
  readonly self: string;
  readonly times: LeaseTimes;
  /** One number: until when this process leads, in milliseconds of monotonicMs. */
  readonly until: SharedArrayBuffer;
}

/** monotonicMs is one clock for all threads of a process. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** How long the main thread has to stop by itself. */
const LAST_MS = 5_000;

// Renewal does not wait for whatever the main thread is at; and a main thread that hangs when the lease is lost is ended with its process.
if (parentPort) {
  const port = parentPort;
  const { access, until, ...rest } = workerData as LeaseWorkerData;
  const shared = new BigInt64Array(until);
  const stop = new AbortController();
  port.on('message', () => stop.abort());
  using connection = openKubeConnection(
    { ...access, server: new URL(access.server) },
    { maxSockets: 1, timeoutMs: rest.times.renewDeadlineMs },
  );
  let isFirst = true;
  const end = await holdLease(
    {
      ...rest,
      ...{ connection, nowMs: monotonicMs, wait: waitForReal, random: Math.random },
      leading(untilMs) {
        Atomics.store(shared, 0, BigInt(untilMs));
        if (isFirst) port.postMessage({ kind: 'leading' });
        isFirst = false;
      },
      say: (text) => port.postMessage({ kind: 'say', text }),
    },
    stop.signal,
  );
  Atomics.store(shared, 0, 0n);
  port.postMessage({ kind: end });
  if (end === 'lost') setTimeout(() => process.kill(process.pid, 'SIGKILL'), LAST_MS);
  else port.close();
}
