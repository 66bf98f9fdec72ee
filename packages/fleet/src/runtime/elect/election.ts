import { Worker } from 'node:worker_threads';
import { messageOf } from '@plinth/base';
import type { ClusterAccess } from '@plinth/kube';
import { LEASE_TIMES, type LeaseTimes } from './judge-lease.ts';
import { type LeaseWorkerData, monotonicMs } from './lease-worker.ts';

export interface ElectionOptions {
  readonly access: ClusterAccess;
  readonly namespace: string;
  readonly name: string;
  readonly self: string;
  readonly times?: LeaseTimes;
  say(text: string): void;
}

export interface Election {
  /** Whether this process leads at this very moment; asked before each write. */
  isLeading(): boolean;
  /** Resolves when it leads for the first time. */
  readonly leads: Promise<void>;
  /** Resolves when what it had is lost: everything has to stop. */
  readonly lost: Promise<void>;
  /** Lets the lease go. */
  release(): Promise<void>;
}

/** openElection runs for the lease in a thread of its own. */
export function openElection({ access, times = LEASE_TIMES, say, ...rest }: ElectionOptions): Election {
  const until = new SharedArrayBuffer(8);
  const shared = new BigInt64Array(until);
  const leads = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const workerData: LeaseWorkerData = {
    ...{ ...rest, times, until },
    access: { ...access, server: access.server.href },
  };
  // The bundle of the image has the thread beside it, compiled.
  const file = import.meta.url.endsWith('.ts') ? './lease-worker.ts' : './lease-worker.mjs';
  const worker = new Worker(new URL(file, import.meta.url), { workerData });
  worker.on('message', (message: { readonly kind: string; readonly text?: string }) => {
    if (message.kind === 'say') say(message.text ?? '');
    if (message.kind === 'leading') leads.resolve();
    if (message.kind === 'lost') lost.resolve();
  });
  worker.once('error', (reason) => {
    say(`lease: ${messageOf(reason)}`);
    lost.resolve();
  });
  worker.once('exit', () => ended.resolve());
  return {
    isLeading: () => Number(Atomics.load(shared, 0)) > monotonicMs(),
    ...{ leads: leads.promise, lost: lost.promise },
    async release() {
      worker.postMessage('stop');
      const late = setTimeout(() => void worker.terminate(), 4_000);
      await ended.promise;
      clearTimeout(late);
    },
  };
}
