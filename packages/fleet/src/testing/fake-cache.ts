import type { EvictionTry, FleetView, Heard, PodView, ReplaceTry } from '../view/view.ts';
import type { FakeApiServer } from './fake-api-server.ts';
import { applyChange, type Kind, noObjects } from './fake-objects.ts';

/**
 * FakeCache is what one operator has seen of the API server: of each kind every change up to some point, and nothing after
 * it. Each kind has a watch of its own, so they may be differently far. Changes may come late and twice.
 */
export class FakeCache {
  readonly #server: FakeApiServer;
  #objects = noObjects();
  /** Version up to which each kind was seen. */
  #seen = new Map<Kind, number>();
  #isSynced = false;
  readonly #tries = new Map<string, EvictionTry>();
  readonly #replaceTries = new Map<string, ReplaceTry>();
  readonly #heard = new Map<string, Heard>();

  constructor(server: FakeApiServer) {
    this.#server = server;
  }

  /** Lists every kind anew, as it is now. */
  list(): void {
    this.#objects = noObjects();
    for (const change of this.#server.history) applyChange(this.#objects, change);
    for (const kind of kinds) this.#seen.set(kind, this.#server.history.length);
    this.#isSynced = true;
  }

  /** Takes up to so many changes of a kind from its watch, the one before them once more. */
  deliver(kind: Kind, count: number): void {
    const seen = this.#seen.get(kind) ?? 0;
    let left = count;
    // The change seen last comes again: a watch that is opened anew may repeat it.
    for (let at = Math.max(0, seen - 1); at < this.#server.history.length && left > 0; at += 1) {
      const change = this.#server.history[at];
      if (change?.kind !== kind) continue;
      applyChange(this.#objects, change);
      this.#seen.set(kind, Math.max(seen, change.version));
      if (change.version > seen) left -= 1;
      // Pods are listed after the taint was seen, so none that was bound before it is missed.
      if (kind === 'node') this.#catchUp('pod', change.version);
    }
  }

  /** Takes everything. */
  deliverAll(): void {
    for (const kind of kinds) this.deliver(kind, Number.POSITIVE_INFINITY);
  }

  #catchUp(kind: Kind, version: number): void {
    const seen = this.#seen.get(kind) ?? 0;
    for (const change of this.#server.history.slice(seen, version))
      if (change.kind === kind) applyChange(this.#objects, change);
    this.#seen.set(kind, Math.max(seen, version));
  }

  /** Forgets everything, as a process that was killed does. */
  forget(): void {
    this.#objects = noObjects();
    this.#seen = new Map();
    this.#isSynced = false;
    this.#tries.clear();
    this.#replaceTries.clear();
    this.#heard.clear();
  }

  tried(attempt: EvictionTry): void {
    this.#tries.set(attempt.podUid, attempt);
  }

  replaceTried(nodeUid: string, attempt: ReplaceTry): void {
    this.#replaceTries.set(nodeUid, attempt);
  }

  hear(node: string, heard: Heard): void {
    this.#heard.set(node, heard);
  }

  view(nowMs: number): FleetView {
    const objects = this.#objects;
    const pods = new Map<string, PodView[]>([...objects.node.keys()].map((name) => [name, []]));
    for (const pod of objects.pod.values()) pods.get(pod.node)?.push(pod);
    return {
      nowMs,
      ...{ releases: objects.release, policies: objects.policy, rollouts: objects.rollout },
      ...{ windows: objects.window, gates: objects.gate, gateResults: new Map() },
      ...{ ledgers: objects.ledger, nodeUpdates: objects.nodeUpdate, nodes: objects.node },
      ...{ budgets: [...objects.budget.values()], pods },
      attachments: new Map([...objects.node.keys()].map((name) => [name, []])),
      heard: this.#heard,
      ...{
        evictionTries: this.#tries,
        replaceTries: this.#replaceTries,
        etcd: undefined,
        leaderNode: '',
        apiServerVersion: 'v1.37.1',
        isSynced: this.#isSynced,
      },
    };
  }
}

const kinds = Object.keys(noObjects()) as readonly Kind[];
