import type { Decision, Write } from '../decide/decision.ts';
import { UPDATE_TAINT } from '../decide/decision.ts';
import { decidePolicy } from '../decide/policy.ts';
import {
  momentMs,
  momentOf,
  type NodeProgress,
  type NodeReport,
  type PolicySpec,
  policySpec,
  type ReleaseSpec,
  releaseSpec,
  type WindowSpec,
  windowSpec,
} from '../objects/index.ts';
import type { EtcdView, FleetView, NodeView, PodView } from '../view/view.ts';
import { FakeApiServer, Refusal } from './fake-api-server.ts';

export const OLD_HASH = '0'.repeat(64);
const PERIOD = 1000;

/** How a scripted node takes a release. */
export interface Script {
  readonly slotSeconds: number;
  readonly fate: 'good' | 'fails' | 'yields';
}

/** A node of a scripted fleet. */
export interface ScriptedNode {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly pods?: readonly PodView[];
  readonly change?: Partial<NodeView>;
}

/**
 * ScriptedFleet runs the real decidePolicy against a simulated API server and nodes that keep to a script, by a clock of its
 * own: thousands of minutes of a rollout in a moment. What a node does in its slot is decideNode's, and tested with it.
 */
export class ScriptedFleet {
  readonly server = new FakeApiServer();
  readonly pods = new Map<string, readonly PodView[]>();
  readonly scripts = new Map<string, Script>();
  readonly writes: Write[] = [];
  script: Script = { slotSeconds: 300, fate: 'good' };
  /** Seen before each ledger is written: what tests hold the bounds against. */
  onLedger: (write: Extract<Write, { do: 'ledger' }>, view: FleetView) => void = () => undefined;
  nowMs: number;
  etcd: EtcdView | undefined;
  extra: Partial<FleetView> = {};
  #phaseSince = new Map<string, number>();

  constructor(nowMs = Date.UTC(2026, 5, 1)) {
    this.nowMs = nowMs;
  }

  addNode({ name, labels = {}, pods = [], change = {} }: ScriptedNode): void {
    this.pods.set(name, pods);
    this.server.put('node', name, (stamp) => ({
      ...{
        name,
        ...stamp,
        labels: { pool: 'a', ...labels },
        annotations: {},
        isUnschedulable: false,
        taints: [],
      },
      ...{
        isReady: true,
        readySinceMs: 0,
        bootId: `${name}-1`,
        kubeletVersion: 'v1.36.4',
        isDeleting: false,
        createdAtMs: this.nowMs,
      },
      ...{ address: '', allocatable: { cpuMilli: 4000, memoryBytes: 2 ** 33, pods: 110 } },
      ...{ requested: { cpuMilli: 1000, memoryBytes: 2 ** 30, pods: 20 } },
      ...change,
    }));
  }

  addRelease(name: string, spec: Partial<ReleaseSpec> = {}): void {
    const rootHash = [...name]
      .map((letter) => letter.charCodeAt(0).toString(16))
      .join('')
      .padEnd(64, '0');
    const full = releaseSpec.parse({ os: { version: name, rootHash }, ...spec });
    this.server.put('release', name, (stamp) => ({
      ...this.#stored(name, stamp),
      spec: full,
      status: undefined,
    }));
  }

  addPolicy(name: string, spec: Record<string, unknown> = {}): void {
    const full = policySpec.parse({ nodeSelector: { matchLabels: { pool: 'a' } }, ...spec });
    this.server.put('policy', name, (stamp) => ({
      ...this.#stored(name, stamp),
      spec: full,
      status: undefined,
    }));
  }

  addWindow(name: string, spec: Partial<WindowSpec>): void {
    const full = windowSpec.parse(spec);
    this.server.put('window', name, (stamp) => ({
      ...this.#stored(name, stamp),
      spec: full,
      status: undefined,
    }));
  }

  #stored(name: string, stamp: { resourceVersion: string; uid: string }) {
    return { name, ...stamp, generation: 1, createdAtMs: this.nowMs };
  }

  setPolicy(name: string, change: Partial<PolicySpec>): void {
    this.server.change('policy', name, ({ spec }) => ({ spec: { ...spec, ...change } }));
  }

  view(): FleetView {
    const { objects } = this.server;
    return {
      ...{
        nowMs: this.nowMs,
        releases: objects.release,
        policies: objects.policy,
        rollouts: objects.rollout,
      },
      ...{ windows: objects.window, gates: objects.gate, gateResults: new Map(), ledgers: objects.ledger },
      ...{ nodeUpdates: objects.nodeUpdate, nodes: objects.node, budgets: [...objects.budget.values()] },
      ...{ pods: this.pods, attachments: new Map(), evictionTries: new Map(), etcd: this.etcd },
      ...{ leaderNode: '', isSynced: true, ...this.extra },
    };
  }

  /** One look at a policy, carried out; a write that is refused ends it, as in the runtime. */
  look(policy: string): Decision {
    const view = this.view();
    const decision = decidePolicy(view, policy);
    for (const write of decision.writes) {
      if (write.do === 'ledger') this.onLedger(write, view);
      this.writes.push(write);
      try {
        this.server.apply(write, this.nowMs);
      } catch (reason) {
        if (!(reason instanceof Refusal)) throw reason;
        break;
      }
    }
    return decision;
  }

  /** Lets time go by: looks at all policies, then lets nodes do what comes next. */
  step(seconds: number): void {
    this.nowMs += seconds * PERIOD;
    for (const name of [...this.server.objects.policy.keys()])
      for (let time = 0; time < 3; time += 1) this.look(name);
    for (const name of [...this.server.objects.nodeUpdate.keys()]) this.#stepNode(name);
  }

  /** Steps until something is so, or for so long; whether it came to be so. */
  until(isSo: () => boolean, { step = 60, hours = 24 } = {}): boolean {
    for (let seconds = 0; seconds < hours * 3600; seconds += step) {
      if (isSo()) return true;
      this.step(step);
    }
    return isSo();
  }

  rollout(release: string) {
    return [...this.server.objects.rollout.values()].find(({ spec }) => spec.release === release);
  }

  ledger(policy: string) {
    return this.server.objects.ledger.get(policy)?.status?.entries ?? [];
  }

  progress(name: string, change: Partial<NodeProgress>, report: Partial<NodeReport> = {}): void {
    this.#phaseSince.set(name, this.nowMs);
    this.server.change('nodeUpdate', name, ({ status }) => ({
      status: {
        progress: {
          ...{ attempts: 0, denied: [], escalated: false, starts: 0, failures: 0, phase: 'Idle' as const },
          ...status?.progress,
          since: momentOf(this.nowMs),
          ...change,
        },
        node: { ...(status?.node ?? FIRST_REPORT), bootId: name, ...report },
      },
    }));
  }

  #stepNode(name: string): void {
    const update = this.server.objects.nodeUpdate.get(name);
    const node = this.server.objects.node.get(name);
    if (!update || !node) return;
    const { target } = update.spec;
    const progress = update.status?.progress;
    if (update.status?.node === undefined) {
      this.progress(name, { phase: 'Idle' });
      return;
    }
    if (progress === undefined || target === undefined) return;
    const { slotSeconds, fate } = this.scripts.get(name) ?? this.script;
    const isOver = this.nowMs - (this.#phaseSince.get(name) ?? 0) >= slotSeconds * PERIOD;
    const entry = [...this.server.objects.ledger.values()]
      .flatMap(({ status }) => status?.entries ?? [])
      .find(({ uid }) => uid === node.uid);
    if (
      entry &&
      entry.since !== progress.admittedAt &&
      ['Staged', 'Done', 'Soaking'].includes(progress.phase)
    ) {
      const isBack = progress.phase !== 'Staged';
      this.progress(name, { phase: isBack ? 'RollingBack' : 'Draining', admittedAt: entry.since });
      this.#taint(name, true);
    } else if (progress.phase === 'Staging') this.progress(name, { phase: 'Staged' });
    else if (progress.phase === 'Soaking') this.progress(name, { phase: 'Done' });
    else if (progress.phase === 'RollingBack' && isOver) {
      this.#taint(name, false);
      const denied = [{ release: target.release, reason: { code: 'node/rolled-back', text: 'rolled back' } }];
      this.progress(name, { phase: 'Quarantined', denied }, { ...FIRST_REPORT });
    } else if (progress.phase === 'Draining' && isOver) {
      this.#taint(name, false);
      const reason = { code: 'node/broken', text: 'its health contract did not hold' };
      if (fate === 'good')
        this.progress(
          name,
          { phase: 'Soaking' },
          { osVersion: target.osVersion, osRootHash: target.osRootHash, rollbackVersion: '1' },
        );
      else if (fate === 'fails')
        this.progress(name, {
          ...{ phase: 'Quarantined', failures: 1, reason, denied: [{ release: target.release, reason }] },
        });
      else
        this.progress(name, {
          ...{
            phase: 'Staged',
            attempts: progress.attempts + 1,
            reason: { code: 'drain/blocked', text: 'x' },
          },
          nextTry: momentOf(this.nowMs + 300_000),
        });
    }
  }

  #taint(name: string, isOn: boolean): void {
    this.server.change('node', name, ({ taints }) => ({
      isReady: !isOn,
      taints: isOn
        ? [...taints, { key: UPDATE_TAINT, value: '', effect: 'NoSchedule' }]
        : taints.filter(({ key }) => key !== UPDATE_TAINT),
    }));
  }

  /** How long the status of a rollout says it still takes, as a moment. */
  etaMs(release: string): number {
    const status = this.rollout(release)?.status;
    return momentMs(status?.observedAt ?? '') + (status?.etaSeconds ?? Number.NaN) * PERIOD;
  }
}

const FIRST_REPORT: NodeReport = {
  ...{ observedAt: momentOf(0), bootId: '', osVersion: '1', osRootHash: OLD_HASH, stagedVersion: '' },
  ...{ stagedRootHash: '', rollbackVersion: '', rollbackRootHash: '', updatePhase: 'idle', contract: 'held' },
  ...{
    kubernetesVersion: '1.36.4',
    configDigest: '',
    hotLayerSerial: 0,
    blockedVersions: [],
    stagedPercent: 0,
  },
};
