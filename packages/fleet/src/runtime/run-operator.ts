import { randomUUID } from 'node:crypto';
import { type ClusterAccess, openKubeConnection } from '@plinth/kube';
import { FLEET_NAME } from '../install/names.ts';
import { openNodeLinks } from './drive/node-links.ts';
import { openElection } from './elect/election.ts';
import type { LeaseTimes } from './elect/judge-lease.ts';
import { serveObserver } from './observe/http-server.ts';
import { openMetrics } from './observe/metrics.ts';
import { type Decide, type Operator, type OperatorParts, openOperator } from './operator.ts';
import { waitForReal } from './queue/wait.ts';

export interface RunOperatorOptions
  extends Partial<
    Pick<OperatorParts, 'writesPerSecond' | 'spacingMs' | 'policyGapMs' | 'webhooks' | 'source'>
  > {
  readonly access: ClusterAccess;
  /** To the cluster that has the Machines of Cluster API, where it is another one. */
  readonly machinesAccess?: ClusterAccess;
  readonly decide: Decide;
  /** The certificate that nodes are called with; read before each connection, since it is renewed. */
  identity(): { readonly certificatePem: string; readonly keyPem: string };
  /** Where the lease lies. */
  readonly namespace: string;
  readonly leaseName?: string;
  readonly podName: string;
  readonly leaderNode: string;
  readonly observer: { readonly host: string; readonly port: number };
  readonly nodePort?: number;
  readonly leaseTimes?: LeaseTimes;
  readonly signal: AbortSignal;
  say(text: string): void;
  /** The port that metrics are told on. */
  listening?(port: number): void;
}

/** The event loop is not this late while the process can do its work. */
const LATE_MS = 30_000;

/**
 * runOperator stands by until it leads, then leads until the signal or until the lease is lost. @returns "lost": the process has to end, for
 * what is under way in it must not go on
 */
export async function runOperator(options: RunOperatorOptions): Promise<'ended' | 'lost'> {
  const { access, namespace, podName, signal, say } = options;
  // Two processes of one pod, one after the other, are two.
  const self = `${podName}_${randomUUID()}`;
  const metrics = openMetrics();
  let operator: Operator | undefined;
  let beatMs = performance.now();
  const beat = setInterval(() => {
    beatMs = performance.now();
  }, 1_000);
  const leaseName = options.leaseName ?? FLEET_NAME;
  const election = openElection({
    ...{ access, namespace, name: leaseName, self, say },
    ...(options.leaseTimes && { times: options.leaseTimes }),
  });
  await using observer = await serveObserver({
    ...options.observer,
    metrics() {
      metrics.set('plinth_fleet_leading', election.isLeading() ? 1 : 0);
      return operator ? operator.metrics() : metrics.text();
    },
    whyDead: () => (performance.now() - beatMs > LATE_MS ? 'the event loop stands still' : undefined),
    // One that stands by is ready to take over.
    whyNotReady: () => (operator && !operator.isSynced() ? 'not every kind was listed yet' : undefined),
  });
  options.listening?.(observer.port);
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  try {
    const lost = election.lost.then(() => 'lost' as const);
    if ((await Promise.race([election.leads.then(() => 'leads' as const), aborted, lost])) !== 'leads')
      return signal.aborted ? 'ended' : 'lost';
    say(`leads as ${self}`);
    using connection = openKubeConnection(access, { maxSockets: 32 });
    using machines = options.machinesAccess && openKubeConnection(options.machinesAccess);
    const stop = new AbortController();
    operator = openOperator(
      {
        ...(machines && { machines }),
        ...{ connection, decide: options.decide, metrics, namespace, self: podName },
        openLinks: (peer) =>
          openNodeLinks({
            ...{ peer, identity: options.identity, nowMs: Date.now },
            ...(options.nodePort !== undefined && { port: options.nodePort }),
          }),
        ...{ isLeading: election.isLeading, leaderNode: options.leaderNode },
        ...{ webhooks: options.webhooks ?? [], source: options.source ?? `https://${access.server.host}` },
        ...(options.writesPerSecond !== undefined && { writesPerSecond: options.writesPerSecond }),
        ...(options.spacingMs !== undefined && { spacingMs: options.spacingMs }),
        ...(options.policyGapMs !== undefined && { policyGapMs: options.policyGapMs }),
        ...{ nowMs: Date.now, wait: waitForReal, random: Math.random, say },
      },
      stop.signal,
    );
    const running = operator.run();
    const end = await Promise.race([aborted.then(() => 'ended' as const), lost]);
    stop.abort();
    // A process that lost the lease does not wait for its calls.
    if (end === 'ended') await running;
    return end;
  } finally {
    clearInterval(beat);
    await election.release();
  }
}
