import { monitorEventLoopDelay } from 'node:perf_hooks';
import { askKube, type KubeConnection } from '@plinth/kube';
import type { Decision } from '../decide/decision.ts';
import { gatesNamespaceOf, PEERS } from '../install/names.ts';
import type { PeerView } from '../view/project/project-peers.ts';
import { rawAt, textOf } from '../view/project/raw.ts';
import type { FleetView, Requests } from '../view/view.ts';
import { openSignedDeadlines } from './deadlines/signed-deadlines.ts';
import { openConfigDocuments } from './drive/config-documents.ts';
import { openHeardReports } from './drive/heard-reports.ts';
import { openNodeDriver } from './drive/node-driver.ts';
import type { NodeLinks } from './drive/node-links.ts';
import { openEtcdState } from './etcd-state.ts';
import { openAskGate } from './gates/ask-gate.ts';
import { gatesInUse } from './gates/gates-in-use.ts';
import { openGates } from './gates/run-gates.ts';
import { keepCounting } from './keep-counting.ts';
import { openFleetEvents } from './observe/fleet-events.ts';
import type { Metrics } from './observe/metrics.ts';
import { setGauges } from './observe/set-gauges.ts';
import { openWebhooks } from './observe/webhooks.ts';
import { openLooks } from './open-looks.ts';
import { openTokenBucket } from './queue/token-bucket.ts';
import type { Wait } from './queue/wait.ts';
import { openFleetStore } from './reflect/fleet-store.ts';
import { openNodePods } from './reflect/node-pods.ts';
import { openTriggers } from './triggers.ts';
import { openWriter } from './write/writer.ts';

/** What is decided; pure. */
export interface Decide {
  node(view: FleetView, name: string): Decision;
  policy(view: FleetView, name: string): Decision;
}

export interface OperatorParts {
  readonly connection: KubeConnection;
  /** To the API server that has the Machines of Cluster API; absent: the same. */
  readonly machines?: KubeConnection;
  readonly decide: Decide;
  /** Opens connections to nodes by what the cluster knows of its members. */
  openLinks(peer: (node: string) => PeerView | undefined): NodeLinks;
  isLeading(): boolean;
  readonly metrics: Metrics;
  readonly namespace: string;
  /** This process, in Events. */
  readonly self: string;
  /** Node this process runs on; "" outside. */
  readonly leaderNode: string;
  readonly webhooks: readonly string[];
  /** Names the cluster in webhooks. */
  readonly source: string;
  readonly writesPerSecond?: number;
  /** Nodes are not asked more often. */
  readonly spacingMs?: number;
  /** Policies are not looked at more often. */
  readonly policyGapMs?: number;
  readonly nowMs: () => number;
  readonly wait: Wait;
  readonly random: () => number;
  say(text: string): void;
}

/** An operator that leads. */
export interface Operator {
  isSynced(): boolean;
  metrics(): string;
  view(): FleetView;
  /** Until the signal aborts; what is under way is ended first. */
  run(): Promise<void>;
}

const NODES_AT_ONCE = 16;
const WRITES_PER_SECOND = 50;
const SWEEP_MS = 30_000;
const POLICY_GAP_MS = 250;
/** Looks at policies take this share of the time of the thread at most. */
const POLICY_SHARE = 0.1;

/**
 * openOperator puts the parts together: what the API server and nodes say is mirrored, whatever changed is looked at, and what a look decides is
 * written. It holds nothing that a new leader would need. @param signal ends it
 */
export function openOperator(parts: OperatorParts, signal: AbortSignal): Operator {
  const { connection, decide, metrics, nowMs, wait, random, say } = parts;
  const monotonicMs = () => performance.now();
  const requests = new Map<string, Requests>();
  let apiServerVersion: string | undefined;
  const lag = monitorEventLoopDelay({ resolution: 10 });
  const { policyGapMs = POLICY_GAP_MS, writesPerSecond = WRITES_PER_SECOND } = parts;
  /** How long the last look at a policy took: those of large fleets are not looked at all the time. */
  let policyLookMs = 0;
  const gap = (name: string) => {
    const gapMs = Math.max(policyGapMs, policyLookMs / POLICY_SHARE);
    policies.addAt(name, Math.max((lookedAtMs.get(name) ?? 0) + gapMs, nowMs() + 50));
  };
  const lookedAtMs = new Map<string, number>();
  const webhooks = openWebhooks({ urls: parts.webhooks, source: parts.source, nowMs, signal, say });

  const triggers = openTriggers({
    ...{ node: (name) => nodes.add(name), policy: gap, metrics },
    policyNames: () => store.policies.items.keys(),
    nodeUpdateNames: () => store.nodeUpdates.items.keys(),
    watchPods: (node, isWanted) => (isWanted ? pods.watch(node) : pods.unwatch(node)),
    rollout: webhooks.heard,
    forget: (node) => {
      nodes.forget(node);
      pods.unwatch(node);
      heard.forget(node);
    },
  });
  const reflecting = { connection, wait, random, say };
  const store = openFleetStore(reflecting, triggers, (node) => requests.get(node));
  const pods = openNodePods(
    {
      ...{ ...reflecting, nowMs },
      changed(node) {
        nodes.add(node);
        const policy = store.nodeUpdates.items.get(node)?.spec.policy;
        if (policy !== undefined) gap(policy);
      },
    },
    signal,
  );
  const peers = () => store.peers.items.get(PEERS.name)?.peers;
  const links = parts.openLinks((node) => peers()?.get(node));
  const events = openFleetEvents(
    {
      ...{ connection, namespace: parts.namespace, self: parts.self, nowMs, say },
      bucket: openTokenBucket(5, 100, monotonicMs),
    },
    signal,
  );
  const writer = openWriter({
    ...(parts.machines && { machines: parts.machines }),
    ...{ connection, store, events, wait, nowMs, isLeading: parts.isLeading },
    writes: openTokenBucket(writesPerSecond, writesPerSecond * 2, monotonicMs),
    called(verb, status) {
      const code = String(status);
      metrics.add('plinth_api_calls_total', { verb, code });
      if (verb === 'POST evictions') metrics.add('plinth_evictions_total', { code });
    },
  });
  const heard = openHeardReports({
    nodeUpdate: (node) => store.nodeUpdates.items.get(node),
    changed(node) {
      nodes.add(node);
      // What a node without a target runs is what its policy waits for.
      const spec = store.nodeUpdates.items.get(node)?.spec;
      if (spec && !spec.target) gap(spec.policy);
    },
  });
  const driver = openNodeDriver({
    ...{ links, nowMs, wait, signal, ...(parts.spacingMs !== undefined && { spacingMs: parts.spacingMs }) },
    documentsOf: openConfigDocuments(
      { connection, release: (name) => store.releases.items.get(name)?.spec },
      signal,
    ),
    nodeUpdate: (node) => store.nodeUpdates.items.get(node),
    hear: (node, said) => heard.hear(node, said),
    called: (call, result) => metrics.add('plinth_node_calls_total', { call, result }),
  });
  const etcd = openEtcdState({
    ...{ links, nodes: store.nodes.items, wait, say },
    isNeeded: () => [...store.policies.items.values()].some(({ spec }) => spec.role === 'ControlPlane'),
    changed: () => allPolicies(),
  });
  const gates = openGates({
    ...{ gates: store.gates.items, nowMs, wait },
    ask: openAskGate({ connection, namespace: gatesNamespaceOf(parts.namespace), nowMs }),
    used: () => gatesInUse(store.policies.items, store.rollouts.items, store.gates.items),
    changed: () => {
      allPolicies();
      for (const name of store.nodeUpdates.items.keys()) nodes.add(name);
    },
  });
  const deadlines = openSignedDeadlines({
    ...{ connection, namespace: parts.namespace, nowMs, wait },
    ...{ policies: store.policies.items, releases: store.releases.items },
    changed: () => allPolicies(),
  });
  const allPolicies = () => {
    for (const name of store.policies.items.keys()) gap(name);
  };

  /** Read by decisions within the turn it is made in: what it shows is of one moment. */
  const view = (): FleetView => ({
    nowMs: nowMs(),
    ...{ releases: store.releases.items, policies: store.policies.items, rollouts: store.rollouts.items },
    ...{ windows: store.windows.items, gates: store.gates.items, gateResults: gates.results },
    ...{ ledgers: store.ledgers.items, nodeUpdates: store.nodeUpdates.items, nodes: store.nodes.items },
    budgets: [...store.budgets.items.values()],
    ...{ pods: pods.byNode, attachments: store.attachments, evictionTries: writer.evictionTries },
    replaceTries: writer.replaceTries,
    heard: heard.byNode,
    etcd: etcd.view(),
    signedDeadlines: deadlines.byRelease(),
    ...(apiServerVersion !== undefined && { apiServerVersion }),
    ...{ leaderNode: parts.leaderNode, isSynced: store.isSynced(), writesPerSecond },
  });

  const looks = openLooks({
    ...{ writer, driver, metrics, nowMs, random, signal, say, isSynced: store.isSynced },
    policyOf: (name) => store.policies.items.get(name)?.spec,
    wantPods: pods.want,
  });
  const nodes = looks('node', NODES_AT_ONCE, (name) => {
    heard.settle(name);
    const decision = decide.node(view(), name);
    return { decision, policy: store.nodeUpdates.items.get(name)?.spec.policy };
  });
  const policies = looks('policy', 1, (name) => {
    lookedAtMs.set(name, nowMs());
    const began = performance.now();
    const decision = decide.policy(view(), name);
    policyLookMs = performance.now() - began;
    return { decision, policy: name };
  });

  const counting = {
    ...{ connection, nodes: store.nodes.items, requests, changed: allPolicies, wait, say },
    isNeeded: () =>
      store.isSynced() &&
      [...store.policies.items.values()].some(({ spec }) => spec.capacity.headroom.enabled),
  };

  async function keepHouse(): Promise<void> {
    while (!signal.aborted) {
      const answer = await askKube(connection, { method: 'GET', path: '/version' }, signal).catch(
        () => undefined,
      );
      const version = textOf(rawAt(answer)['gitVersion']);
      if (version !== '') apiServerVersion = version;
      links.sweep();
      lag.reset();
      await wait(SWEEP_MS, signal);
    }
  }

  return {
    isSynced: store.isSynced,
    view,
    metrics() {
      setGauges(metrics, {
        ...{
          view: view(),
          silent: driver.silent.size,
          lists: store.lists(),
          unreadable: store.unreadable(),
          lag,
        },
        depths: { node: nodes.depth, policy: policies.depth },
      });
      return metrics.text();
    },
    async run() {
      lag.enable();
      await Promise.all([
        store.run(signal),
        etcd.run(signal),
        gates.run(signal),
        deadlines.run(signal),
        keepCounting(counting, signal),
        keepHouse(),
      ]);
      await Promise.all([nodes.close(), policies.close()]);
      lag.disable();
      links[Symbol.dispose]();
    },
  };
}
