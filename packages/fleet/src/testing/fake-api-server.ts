import type { At, Write } from '../decide/decision.ts';
import { selectsLabels } from '../decide/select.ts';
import type { PodView } from '../view/view.ts';
import { applyChange, type Kind, type Kinds, noObjects, type ObjectChange } from './fake-objects.ts';

/** A write that the API server refuses: 404, 409 (changed since it was looked at), 422, 429 (a budget), 500 (two budgets). */
export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * FakeApiServer keeps objects as an API server does: one order of versions over all, compare-and-swap on each object's own,
 * spec and status written apart, evictions that budgets refuse. Its history is what watches deliver.
 */
export class FakeApiServer {
  readonly objects = noObjects();
  readonly history: ObjectChange[] = [];
  #uids = 0;

  /** Stores an object under the next version. */
  put<K extends Kind>(
    kind: K,
    name: string,
    make: (stamp: { resourceVersion: string; uid: string }) => Kinds[K] | undefined,
    by: 'operator' | 'world' = 'world',
  ): void {
    const version = this.history.length + 1;
    this.#uids += 1;
    const object = make({ resourceVersion: `${version}`, uid: `uid-${this.#uids}` });
    const change: ObjectChange<K> = { version, kind, name, object, by };
    applyChange(this.objects, change);
    this.history.push(change);
  }

  /** Changes an object that is there; does nothing where it is not. */
  change<K extends Kind>(kind: K, name: string, change: (object: Kinds[K]) => Partial<Kinds[K]>): void {
    const map: Map<string, Kinds[K]> = this.objects[kind];
    const object = map.get(name);
    if (object !== undefined)
      this.put(kind, name, ({ resourceVersion }) => ({ ...object, ...change(object), resourceVersion }));
  }

  remove(kind: Kind, name: string): void {
    if (this.objects[kind].has(name)) this.put(kind, name, () => undefined);
  }

  /**
   * Carries out the steps of one write; each is a write of its own, so `until` can end it between them.
   * @throws Refusal
   */
  apply(write: Write, nowMs: number, until: (step: number) => boolean = () => false): void {
    const steps = this.#stepsOf(write, nowMs);
    for (const [index, step] of steps.entries()) {
      if (until(index)) return;
      step();
    }
  }

  #stepsOf(write: Write, nowMs: number): readonly (() => void)[] {
    switch (write.do) {
      case 'node-update': {
        const { at, spec, status } = write;
        const steps: (() => void)[] = [];
        let version = at.resourceVersion;
        const set = (part: 'spec' | 'status', value: typeof spec | typeof status) => () => {
          this.#swap('nodeUpdate', { ...at, resourceVersion: version }, (old) => ({
            ...old,
            [part]: plain(value),
          }));
          version = this.objects.nodeUpdate.get(at.name)?.resourceVersion ?? '';
        };
        if (spec) steps.push(set('spec', spec));
        if (status) steps.push(set('status', status));
        return steps;
      }
      case 'taint':
        return [
          () =>
            this.#swap('node', write.at, (node) => ({
              ...node,
              taints: [...without(node, write.taint), write.taint],
            })),
        ];
      case 'untaint':
        return [
          () =>
            this.#swap('node', write.at, (node) => {
              const taints = without(node, write);
              return { ...node, taints: write.also ? without({ ...node, taints }, write.also) : taints };
            }),
        ];
      case 'prove-gone':
        return [
          () => {
            if (this.objects.node.get(write.node)?.uid === write.uid) throw new Refusal(409, 'it is there');
          },
        ];
      case 'ledger':
        return [() => this.#swap('ledger', write.at, (old) => ({ ...old, status: plain(write.status) }))];
      case 'rollout-status':
        return [() => this.#swap('rollout', write.at, (old) => ({ ...old, status: plain(write.status) }))];
      case 'rollout-spec':
        return [() => this.#swap('rollout', write.at, (old) => ({ ...old, spec: plain(write.spec) }))];
      case 'policy-status':
        return [() => this.#swap('policy', write.at, (old) => ({ ...old, status: plain(write.status) }))];
      case 'create-rollout':
        // Two requests to a real API server as well: the object, then its status.
        return [
          () => this.#create('rollout', write.name, nowMs, plain(write.spec), undefined),
          () =>
            this.put(
              ...(['rollout', write.name] as const),
              ({ resourceVersion }) => {
                const made = this.objects.rollout.get(write.name);
                return made && { ...made, status: plain(write.status), resourceVersion };
              },
              'operator',
            ),
        ];
      case 'create-ledger':
        return [() => this.#create('ledger', write.name, nowMs, {}, { entries: [], epoch: 0 })];
      case 'create-node-update':
        return [() => this.#create('nodeUpdate', write.name, nowMs, plain(write.spec), undefined)];
      case 'evict':
        return [() => this.#evict(write.uid)];
      case 'delete-pod':
        return [() => this.#endPod(write.uid)];
      // The provider's, and not of these objects.
      case 'replace-node':
      case 'event':
        return [];
    }
  }

  #swap<K extends 'node' | 'nodeUpdate' | 'ledger' | 'rollout' | 'policy'>(
    kind: K,
    at: At,
    change: (object: Kinds[K]) => Kinds[K],
  ): void {
    const map: Map<string, Kinds[K]> = this.objects[kind];
    const object = map.get(at.name);
    if (object === undefined || object.uid !== at.uid) throw new Refusal(404, `no ${kind} ${at.name}`);
    if (object.resourceVersion !== at.resourceVersion)
      throw new Refusal(409, `${kind} ${at.name} has changed`);
    const next = change(object);
    // As the real one: a write that changes nothing makes no version.
    if (JSON.stringify(next) !== JSON.stringify(object))
      this.put(kind, at.name, ({ resourceVersion }) => ({ ...next, resourceVersion }), 'operator');
  }

  #create<K extends 'nodeUpdate' | 'ledger' | 'rollout'>(
    kind: K,
    name: string,
    nowMs: number,
    spec: Kinds[K]['spec'],
    status: Kinds[K]['status'],
  ): void {
    const map: Map<string, Kinds[K]> = this.objects[kind];
    if (map.has(name)) throw new Refusal(409, `${kind} ${name} is there`);
    const make = (stamp: { resourceVersion: string; uid: string }) =>
      ({ name, ...stamp, generation: 1, createdAtMs: nowMs, spec, status }) as Kinds[K];
    this.put(kind, name, make, 'operator');
  }

  #evict(uid: string): void {
    const pod = this.objects.pod.get(uid);
    if (!pod) throw new Refusal(404, 'no such pod');
    const budgets = [...this.objects.budget.values()].filter((budget) => selects(budget, pod));
    if (budgets.length > 1) throw new Refusal(500, 'This pod has more than one PodDisruptionBudget');
    const [budget] = budgets;
    if (budget && budget.disruptionsAllowed <= 0)
      throw new Refusal(429, `The disruption budget ${budget.name} allows none`);
    if (budget)
      this.change('budget', budget.name, ({ disruptionsAllowed }) => ({
        disruptionsAllowed: disruptionsAllowed - 1,
      }));
    this.#endPod(uid);
  }

  #endPod(uid: string): void {
    this.change('pod', uid, () => ({ isDeleting: true, isReady: false }));
  }
}

function selects(budget: Kinds['budget'], pod: PodView): boolean {
  return budget.namespace === pod.namespace && selectsLabels(budget.selector, pod.labels);
}

function without(node: Kinds['node'], { key, effect }: { key: string; effect: string }) {
  return node.taints.filter((taint) => taint.key !== key || taint.effect !== effect);
}

/** What JSON makes of it: `undefined` is not there. */
function plain<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value));
}
