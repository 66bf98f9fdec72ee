import { type Observation, openAuditor } from '../audit/index.ts';
import type { Decision, NodeCall, Write } from '../decide/decision.ts';
import { reportOf } from '../decide/node/index.ts';
import { type Authorization, momentOf, type NodeReport, type Target } from '../objects/index.ts';
import { FakeApiServer, Refusal } from '../testing/fake-api-server.ts';
import { FakeCache } from '../testing/fake-cache.ts';
import type { FakeMachine } from '../testing/fake-machine.ts';
import type { BoundPod, ObjectChange } from '../testing/fake-objects.ts';
import type { FleetView, ReplaceTry } from '../view/view.ts';

/** The functions under test. */
export interface Deciders {
  readonly decideNode: (view: FleetView, node: string) => Decision;
  readonly decidePolicy: (view: FleetView, policy: string) => Decision;
}

/** Where a mutant is let in: the real functions run unchanged, the world round them is wrong in one place. */
export interface Mutation {
  /** Instead of carrying out a write; true: it was taken care of. */
  readonly write?: (server: FakeApiServer, write: Write) => boolean;
  /** False: plinthd starts for whatever permission stands in the NodeUpdate, of whichever boot. */
  readonly machinesCheckPermission?: boolean;
}

interface Provider {
  ask(write: Extract<Write, { readonly do: 'replace-node' }>): Omit<ReplaceTry, 'atMs'>;
}

interface Operator {
  readonly cache: FakeCache;
  /** By how much its clock is wrong. */
  readonly skewMs: number;
}

/** A call of plinthd that is on its way. */
interface Message {
  readonly operator: Operator;
  readonly node: string;
  readonly nodeUid: string;
  readonly call: NodeCall;
  readonly permission: Authorization | undefined;
  /** What stood in the NodeUpdate when it was sent. */
  readonly target: Target | undefined;
}

const MESSAGES_LIMIT = 20;

/**
 * Simulation runs operators against a cluster, one small step at a time, in whatever order it is told: so every order of
 * steps of operators, API server, machines and people can be had, crashes between any two writes included.
 */
export class Simulation {
  readonly server = new FakeApiServer();
  readonly machines = new Map<string, FakeMachine>();
  readonly operators: readonly Operator[];
  readonly #deciders: Deciders;
  readonly #mutation: Mutation;
  readonly #messages: Message[] = [];
  /** Replaces nodes of a policy that says so. */
  provider: Provider | undefined;
  /** Watches all of it from outside. */
  readonly auditor = openAuditor({ lagMs: Number.POSITIVE_INFINITY, staleEntryMs: Number.POSITIVE_INFINITY });
  #audited = 0;
  nowMs = Date.UTC(2026, 10, 1);
  #pods = 0;

  constructor(deciders: Deciders, mutation: Mutation, skewsMs: readonly number[]) {
    this.#deciders = deciders;
    this.#mutation = mutation;
    this.operators = skewsMs.map((skewMs) => ({ cache: new FakeCache(this.server), skewMs }));
  }

  /** Shows the audit what happened since it was shown something last. A start comes before the kubelet tells of it. */
  audit(): void {
    for (const machine of this.machines.values())
      for (const start of machine.starts.splice(0))
        this.auditor.observe({ kind: 'start', start }, this.nowMs);
    for (; this.#audited < this.server.history.length; this.#audited += 1) {
      const change = this.server.history[this.#audited];
      const observation = change && observationOf(change);
      if (observation) this.auditor.observe(observation, this.nowMs);
    }
  }

  /** One look of an operator at one node or policy. @param writes how many steps of writes it lives for; then it is killed */
  look(index: number, what: { node: string } | { policy: string }, writes: number): void {
    const operator = this.operators[index];
    if (!operator) return;
    const nowMs = this.nowMs + operator.skewMs;
    const view = operator.cache.view(nowMs);
    const decision =
      'node' in what
        ? this.#deciders.decideNode(view, what.node)
        : this.#deciders.decidePolicy(view, what.policy);
    // What is sent is what stands in the object the decision was made on.
    const permissionOf = (node: string) => view.nodeUpdates.get(node)?.spec.authorization;
    const uidOf = (node: string) => view.nodes.get(node)?.uid ?? '';
    let left = writes;
    let answered: string | undefined;
    for (const each of decision.writes) {
      const write = following(each, answered);
      const isTaken = this.#write(operator, write, nowMs, () => left-- <= 0);
      if (write.do === 'node-update')
        answered = this.server.objects.nodeUpdate.get(write.at.name)?.resourceVersion;
      if (left < 0) {
        operator.cache.forget();
        return;
      }
      if (!isTaken) return;
    }
    for (const { node, call } of decision.calls)
      if (this.#messages.length < MESSAGES_LIMIT)
        this.#messages.push({
          ...{ operator, node, nodeUid: uidOf(node), call, permission: permissionOf(node) },
          target: view.nodeUpdates.get(node)?.spec.target,
        });
  }

  #write(operator: Operator, write: Write, nowMs: number, until: () => boolean): boolean {
    if (write.do === 'replace-node') {
      if (until()) return true;
      const tried = this.provider?.ask(write);
      if (tried) operator.cache.replaceTried(write.uid, { ...tried, atMs: nowMs });
      return true;
    }
    try {
      if (this.#mutation.write?.(this.server, write) !== true) this.server.apply(write, nowMs, until);
      if (write.do === 'evict')
        operator.cache.tried({ podUid: write.uid, status: 201, message: '', atMs: nowMs });
      return true;
    } catch (reason) {
      if (!(reason instanceof Refusal)) throw reason;
      if (write.do !== 'evict') return false;
      const { status, message } = reason;
      operator.cache.tried({ podUid: write.uid, status, message, atMs: nowMs });
      return true;
    }
  }

  /** One of the calls under way arrives, is answered, and the answer is written. @param keep it arrives once more later */
  arrive(index: number, keep: boolean): void {
    const at = this.#messages.length === 0 ? -1 : index % this.#messages.length;
    const message = this.#messages[at];
    if (!message) return;
    if (!keep) this.#messages.splice(at, 1);
    const { operator, node, nodeUid, call, permission, target } = message;
    const machine = this.machines.get(node);
    // Another machine has the address now: it does not know this operator's certificate for the one before.
    if (machine?.uid !== nodeUid) return;
    const report = machine.call(call, permission, this.nowMs, target);
    this.sync();
    if (report) this.#report(operator, node, nodeUid, report);
  }

  /** One of the calls under way is lost. */
  lose(index: number): void {
    if (this.#messages.length > 0) this.#messages.splice(index % this.#messages.length, 1);
  }

  /** As the runtime does: what the node said is what this operator knows, until a decision writes it. */
  #report(operator: Operator, node: string, nodeUid: string, report: NodeReport): void {
    const nowMs = this.nowMs + operator.skewMs;
    const view = operator.cache.view(nowMs);
    const known = view.nodeUpdates.get(node);
    if (!known) return;
    const before = reportOf(view, known)?.stagedPercent ?? 0;
    const stagedPercent = report.stagedPercent > 0 ? report.stagedPercent : before;
    operator.cache.hear(node, {
      ...{ nodeUid, release: known.spec.target?.release, after: known.status?.node?.observedAt },
      report: { ...report, observedAt: momentOf(nowMs), stagedPercent },
    });
  }

  /** Lets a machine do its next step; the kubelet tells the API server. */
  stepMachine(name: string): void {
    this.machines.get(name)?.step();
    this.audit();
    this.sync();
    this.audit();
  }

  /** Kubelets tell what machines are; pods that were asked to go are not touched. */
  sync(): void {
    for (const machine of this.machines.values()) {
      const node = this.server.objects.node.get(machine.name);
      if (!node || !machine.isUp) {
        if (node?.isReady)
          this.server.change('node', machine.name, () => ({ isReady: false, readySinceMs: this.nowMs }));
        continue;
      }
      const isReady = machine.isReady && !machine.isEnding;
      const kubeletVersion = `v${machine.kubelet}`;
      const isSame =
        node.bootId === machine.bootId && node.isReady === isReady && node.kubeletVersion === kubeletVersion;
      if (!isSame)
        this.server.change('node', machine.name, (old) => ({
          bootId: machine.bootId,
          kubeletVersion,
          isReady,
          readySinceMs: old.isReady === isReady ? old.readySinceMs : this.nowMs,
        }));
    }
  }

  /** Pods that were asked to go end, and their controller starts them where the scheduler may put them. */
  stepPods(): void {
    for (const [uid, pod] of this.server.objects.pod) {
      if (!pod.isDeleting) continue;
      this.server.remove('pod', uid);
      this.startPod(pod.labels);
      return;
    }
  }

  startPod(labels: Readonly<Record<string, string>>): void {
    const node = [...this.server.objects.node.values()].find(
      ({ isReady, isUnschedulable, taints }) =>
        isReady && !isUnschedulable && taints.every(({ effect }) => effect === 'PreferNoSchedule'),
    );
    for (const budget of this.server.objects.budget.values())
      this.server.change('budget', budget.name, () => ({ disruptionsAllowed: node ? 1 : 0 }));
    if (!node) return;
    this.#pods += 1;
    const name = `pod-${this.#pods}`;
    this.server.put('pod', name, () => ({
      ...{ namespace: 'default', name, uid: name, labels, annotations: {}, node: node.name },
      ...{ controllerKind: 'ReplicaSet', phase: 'Running', isReady: true, isDeleting: false },
      ...{ hasEmptyDir: false, graceSeconds: 30 },
    }));
  }
}

/** The version that the write before left is in its answer. */
function following(write: Write, answered: string | undefined): Write {
  if (write.do !== 'node-update' || !write.follows || answered === undefined) return write;
  return { ...write, at: { ...write.at, resourceVersion: answered } };
}

/** What the audit is told of a change; kinds it does not look at are left out. */
function observationOf({ kind, name, object }: ObjectChange): Observation | undefined {
  if (kind === 'pod' && object !== undefined) {
    const { uid, node, controllerKind, phase } = object as BoundPod;
    return { kind, name, object: { uid, node, controllerKind, phase, isMirror: false } };
  }
  return AUDITED.has(kind) ? ({ kind, name, object } as Observation) : undefined;
}

const AUDITED: ReadonlySet<string> = new Set(['node', 'nodeUpdate', 'ledger', 'policy', 'rollout', 'pod']);
