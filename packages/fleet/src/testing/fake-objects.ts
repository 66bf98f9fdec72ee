import type {
  BudgetView,
  FleetView,
  NodeView,
  PodView,
  StoredLedger,
  StoredNodeUpdate,
  StoredPolicy,
  StoredRelease,
  StoredRollout,
} from '../view/view.ts';

/** A pod, and the node it was bound to. */
export interface BoundPod extends PodView {
  readonly node: string;
}

/** The kinds that the simulated API server keeps, each as the view has it. Pods are kept by their UID. */
export interface Kinds {
  readonly node: NodeView;
  readonly nodeUpdate: StoredNodeUpdate;
  readonly policy: StoredPolicy;
  readonly release: StoredRelease;
  readonly rollout: StoredRollout;
  readonly ledger: StoredLedger;
  readonly window: FleetView['windows'] extends ReadonlyMap<string, infer Window> ? Window : never;
  readonly gate: FleetView['gates'] extends ReadonlyMap<string, infer Gate> ? Gate : never;
  readonly pod: BoundPod;
  readonly budget: BudgetView;
}
export type Kind = keyof Kinds;

/** All objects at one version. */
export type Objects = { readonly [K in Kind]: Map<string, Kinds[K]> };

/** noObjects is an empty cluster. */
export function noObjects(): Objects {
  return {
    ...{ node: new Map(), nodeUpdate: new Map(), policy: new Map(), release: new Map() },
    ...{ rollout: new Map(), ledger: new Map(), window: new Map(), gate: new Map() },
    ...{ pod: new Map(), budget: new Map() },
  };
}

/** One change of one object, in the order of versions; `object` undefined: it was deleted. */
export interface ObjectChange<K extends Kind = Kind> {
  readonly version: number;
  readonly kind: K;
  readonly name: string;
  readonly object: Kinds[K] | undefined;
  /** Who changed it: the operator by a write, or the rest of the world. */
  readonly by: 'operator' | 'world';
}

/** applyChange brings objects one change further. Applying the same change again changes nothing. */
export function applyChange<K extends Kind>(objects: Objects, change: ObjectChange<K>): void {
  const map: Map<string, Kinds[K]> = objects[change.kind];
  if (change.object === undefined) map.delete(change.name);
  else map.set(change.name, change.object);
}
