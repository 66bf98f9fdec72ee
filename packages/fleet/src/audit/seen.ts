import { durationMs, type PolicySpec, type WindowSpec } from '../objects/index.ts';
import type {
  NodeView,
  Stored,
  StoredLedger,
  StoredNodeUpdate,
  StoredPolicy,
  StoredRollout,
} from '../view/view.ts';
import type { ObservedBudget, ObservedPod, ObservedStart } from './observation.ts';

export const TAINT = 'plinth.dev/update';
/** Ours as well; it keeps nothing away. */
export const OUTDATED = 'plinth.dev/outdated';

export type Entry = NonNullable<StoredLedger['status']>['entries'][number];

/** All that the audit has seen, as it is now. */
export interface Seen {
  readonly nodes: Map<string, NodeView>;
  readonly updates: Map<string, StoredNodeUpdate>;
  readonly ledgers: Map<string, StoredLedger>;
  readonly policies: Map<string, StoredPolicy>;
  readonly rollouts: Map<string, StoredRollout>;
  readonly windows: Map<string, Stored<WindowSpec, never>>;
  /** Pods by UID, with when they were first seen on their node. */
  readonly pods: Map<string, { readonly pod: ObservedPod; readonly order: number }>;
  /** By namespace and name. */
  readonly budgets: Map<string, ObservedBudget>;
  /** Pods, by namespace and name, that a budget let go and that were not seen to go yet. */
  readonly granted: Set<string>;
  /** By policy: when pods of its nodes were asked to go, lately. */
  readonly evictionsMs: Map<string, number[]>;
  /** When our taint was seen to be set on a node, as the order of observations. */
  readonly taintedAt: Map<string, number>;
  /** Since when a node is out of service for a reason that is not ours. */
  readonly downSinceMs: Map<string, number>;
  /** Since when a policy or a rollout may not admit. */
  readonly stoppedSinceMs: Map<string, number>;
  readonly permissions: Map<string, Permission>;
  readonly starts: ObservedStart[];
}

/** An authorization that was seen in a NodeUpdate. */
export interface Permission {
  readonly node: string;
  readonly nodeUid: string;
  readonly bootId: string;
  readonly rootHash: string;
  readonly release: string;
}

export function nothingSeen(): Seen {
  return {
    ...{ nodes: new Map(), updates: new Map(), ledgers: new Map(), policies: new Map() },
    ...{
      rollouts: new Map(),
      windows: new Map(),
      pods: new Map(),
      taintedAt: new Map(),
      downSinceMs: new Map(),
    },
    ...{ budgets: new Map(), granted: new Set(), evictionsMs: new Map() },
    ...{ stoppedSinceMs: new Map(), permissions: new Map(), starts: [] },
  };
}

export function isTainted(node: NodeView | undefined): boolean {
  return node?.taints.some(({ key }) => key === TAINT) === true;
}

/** Out of service, whoever did it; our taint is not looked at, the ledger stands for it. */
export function isDown(node: NodeView): boolean {
  return !node.isReady || node.isUnschedulable || node.isDeleting;
}

export function entriesOf(ledger: StoredLedger | undefined): readonly Entry[] {
  return ledger?.status?.entries ?? [];
}

/** Whether any ledger has this very Node. */
export function hasEntry(seen: Seen, uid: string): boolean {
  return [...seen.ledgers.values()].some((ledger) => entriesOf(ledger).some((entry) => entry.uid === uid));
}

/** Written anew here, not shared with the operator: the audit would share its mistakes. */
export function nodesOf(seen: Seen, { nodeSelector }: PolicySpec): readonly NodeView[] {
  const { matchLabels, matchExpressions } = nodeSelector;
  if (Object.keys(matchLabels).length + matchExpressions.length === 0) return [];
  return [...seen.nodes.values()].filter(
    ({ labels }) =>
      Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
      matchExpressions.every(({ key, operator, values }) => {
        const value = labels[key];
        if (operator === 'Exists') return value !== undefined;
        if (operator === 'DoesNotExist') return value === undefined;
        return operator === 'In' ? values.includes(value ?? '\0') : !values.includes(value ?? '\0');
      }),
  );
}

/** A count, or a percentage of `total`, rounded by `round`. */
export function amount(value: number | string, total: number, round: (value: number) => number): number {
  return typeof value === 'number' ? value : round((Number.parseInt(value, 10) * total) / 100);
}

export function lostAfterMs(policy: PolicySpec): number {
  return durationMs(policy.capacity.lostAfter);
}
