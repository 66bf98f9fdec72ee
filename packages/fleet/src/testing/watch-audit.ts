import { setTimeout as sleep } from 'node:timers/promises';
import { askKube, type KubeConnection } from '@plinth/kube';
import { type Observation, openAuditor, type Violation } from '../audit/index.ts';
import { waitForReal } from '../runtime/queue/wait.ts';
import type { Identified } from '../runtime/reflect/mirror.ts';
import { openReflector } from '../runtime/reflect/reflector.ts';
import { projectBudget, projectNode, projectPod } from '../view/project/project-core.ts';
import { ownKinds } from '../view/project/project-own.ts';
import { rawAt, textOf } from '../view/project/raw.ts';
import type { Reboot } from './nodes/slow-machine.ts';

/** A ledger as it was seen. */
export interface SeenSlots {
  readonly atMs: number;
  readonly ledger: string;
  readonly count: number;
  /** When the newest of its slots was given; 0 for none. */
  readonly admittedMs: number;
}

export interface WatchedAudit extends AsyncDisposable {
  /** A node ends its boot: put in its place among the changes by asking the API server how far it is. */
  started(reboot: Reboot, nodeUid: string): void;
  /** Told of each change of a ledger: how many slots are given. */
  readonly slots: readonly SeenSlots[];
  /** Ends it once all that was seen is looked at. */
  end(): Promise<{ readonly violations: readonly Violation[]; readonly observed: number }>;
}

/** A pod with when its deletion was asked for: what it was given to end is counted back from when it has to have ended. */
function watchedPod(raw: unknown) {
  const pod = projectPod(raw);
  const { deletionTimestamp, deletionGracePeriodSeconds: grace } = rawAt(raw, 'metadata');
  const endMs = Date.parse(textOf(deletionTimestamp));
  const goingSinceMs = Number.isNaN(endMs)
    ? undefined
    : endMs - (typeof grace === 'number' ? grace * 1000 : 0);
  const { namespace, name, labels, isReady } = pod;
  return {
    ...pod,
    isMirror: 'kubernetes.io/config.mirror' in pod.annotations,
    details: { namespace, name, labels, isReady, goingSinceMs },
  };
}

function watchedBudget(raw: unknown) {
  return { ...projectBudget(raw), disruptedPods: Object.keys(rawAt(raw, 'status', 'disruptedPods')) };
}

/** Watches of several kinds are late by different times; none by more, while the machine has room. */
const LATE_MS = 3_000;
const AUDIT = { lagMs: 15_000, staleEntryMs: 60_000 };

/**
 * watchAudit is the auditor at a real API server: it watches on its own, puts what several watches say in the order of the API server's
 * versions, and holds it against the rules.
 */
export function watchAudit(connection: KubeConnection, signal: AbortSignal): WatchedAudit {
  const auditor = openAuditor(AUDIT);
  const slots: SeenSlots[] = [];
  let waiting: { readonly version: number; readonly heardMs: number; readonly observation: Observation }[] =
    [];
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  const asking = new Set<Promise<void>>();

  const hear = (version: number, observation: Observation) => {
    waiting.push({ version, heardMs: Date.now(), observation });
  };
  const flush = (untilMs: number) => {
    waiting.sort((a, b) => a.version - b.version);
    let count = 0;
    // What is newer than something that may still be late waits with it.
    while (waiting[count] !== undefined && (waiting[count]?.heardMs ?? 0) <= untilMs) count++;
    for (const { observation } of waiting.slice(0, count)) auditor.observe(observation, Date.now());
    waiting = waiting.slice(count);
    auditor.check(Date.now());
  };
  const watch = <T extends Identified & { readonly name: string }>(
    path: string,
    project: (raw: unknown) => T | undefined,
    observe: (key: string, object: T | undefined) => Observation,
    key = (item: T): string => item.name,
  ) =>
    openReflector<T>(
      { path, project, key },
      { connection, wait: waitForReal, random: Math.random, say: () => undefined },
      (name, now, _before, version) => hear(Number(version), observe(name, now)),
    ).run(all);
  const running = [
    watch('/api/v1/nodes', projectNode, (name, object) => ({ kind: 'node', name, object })),
    watch(ownKinds.nodeUpdates.path, ownKinds.nodeUpdates.project, (name, object) => ({
      ...{ kind: 'nodeUpdate', name, object },
    })),
    watch(ownKinds.policies.path, ownKinds.policies.project, (name, object) => ({
      ...{ kind: 'policy', name, object },
    })),
    watch(ownKinds.windows.path, ownKinds.windows.project, (name, object) => ({
      ...{ kind: 'window', name, object },
    })),
    watch(ownKinds.rollouts.path, ownKinds.rollouts.project, (name, object) => ({
      ...{ kind: 'rollout', name, object },
    })),
    watch(ownKinds.ledgers.path, ownKinds.ledgers.project, (name, object) => {
      const entries = object?.status?.entries ?? [];
      const admittedMs = Math.max(0, ...entries.map(({ since }) => Date.parse(since)));
      slots.push({ atMs: Date.now(), ledger: name, count: entries.length, admittedMs });
      return { kind: 'ledger', name, object };
    }),
    watch(
      '/api/v1/pods',
      watchedPod,
      (name, object) => ({ kind: 'pod', name, object }),
      ({ uid }) => uid,
    ),
    watch(
      '/apis/policy/v1/poddisruptionbudgets',
      watchedBudget,
      (name, object) => ({ kind: 'budget', name, object }),
      ({ uid }) => uid,
    ),
  ];
  const flushing = (async () => {
    while (!all.aborted) {
      await waitForReal(500, all);
      flush(Date.now() - LATE_MS);
    }
  })();

  async function place(reboot: Reboot, nodeUid: string): Promise<void> {
    const asked = { method: 'GET', path: '/api/v1/namespaces', query: { limit: '1' } } as const;
    const version = textOf(rawAt(await askKube(connection, asked, all), 'metadata')['resourceVersion']);
    hear(Number(version), { kind: 'start', start: { ...reboot, nodeUid } });
  }

  const end = async () => {
    await Promise.all(asking);
    await sleep(LATE_MS);
    stop.abort();
    await Promise.all([...running, flushing]);
    flush(Number.POSITIVE_INFINITY);
    return { violations: auditor.violations, observed: auditor.observed };
  };
  return {
    slots,
    end,
    started(reboot, nodeUid) {
      const placed = place(reboot, nodeUid).catch(() => undefined);
      asking.add(placed);
      void placed.finally(() => asking.delete(placed));
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all([...running, flushing]);
    },
  };
}
