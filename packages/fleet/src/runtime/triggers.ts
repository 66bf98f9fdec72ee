import { isInFlight } from '../decide/node/index.ts';
import type { NodePhase } from '../objects/index.ts';
import type { NodeView, StoredNodeUpdate, StoredRollout } from '../view/view.ts';
import type { Metrics } from './observe/metrics.ts';
import type { StoreEvents } from './reflect/fleet-store.ts';
import type { Identified } from './reflect/mirror.ts';

export interface TriggersParts {
  /** Look at this node. */
  node(name: string): void;
  /** Look at this policy. */
  policy(name: string): void;
  policyNames(): Iterable<string>;
  nodeUpdateNames(): Iterable<string>;
  /** The pods of this node matter from now on, or do not any more. */
  watchPods(node: string, isWanted: boolean): void;
  rollout(now: StoredRollout | undefined, before: StoredRollout | undefined): void;
  forget(node: string): void;
  readonly metrics: Metrics;
}

/** Phases of a node in flight in which nobody looks at its pods. */
const WITHOUT_PODS: readonly NodePhase[] = [
  'Rebooting',
  'Verifying',
  'PostHook',
  'Untainting',
  'Unreachable',
];

/** What a node's look, and a policy's, depend on: a heartbeat changes the version of a Node and nothing else. */
function gist({ resourceVersion: _, ...node }: NodeView): string {
  return JSON.stringify(node);
}

/** openTriggers says what is to be looked at when something has changed. */
export function openTriggers(parts: TriggersParts): StoreEvents {
  const { node, policy, metrics } = parts;
  const allPolicies = () => {
    for (const name of parts.policyNames()) policy(name);
  };
  const gists = new Map<string, string>();
  return {
    node(name, now, before) {
      if (now && before && now.uid === before.uid && gist(now) === gist(before)) return;
      if (!now) parts.forget(name);
      else node(name);
      allPolicies();
    },
    nodeUpdate(name, now, before) {
      const phase = now?.status?.progress?.phase;
      parts.watchPods(name, phase !== undefined && isInFlight(phase) && !WITHOUT_PODS.includes(phase));
      observePhase(now, before);
      node(name);
      for (const each of new Set([now?.spec.policy, before?.spec.policy]))
        if (each !== undefined) policy(each);
    },
    ledger(ledger, now, before) {
      const nodes = [...(now?.status?.entries ?? []), ...(before?.status?.entries ?? [])];
      const seen = new Map<string, number>();
      for (const { node: name } of nodes) seen.set(name, (seen.get(name) ?? 0) + 1);
      // Those that came or went.
      for (const [name, count] of seen) if (count === 1) node(name);
      allPolicies();
      // It has the name of its policy, which may be deleted.
      policy(ledger);
    },
    rule(kind, name, now, before) {
      // One that was deleted leaves something to clean up.
      if (kind === 'updatepolicies') policy(name);
      if (kind !== 'updatepolicies' || !now) allPolicies();
      if (kind === 'rollouts')
        parts.rollout(now as StoredRollout | undefined, before as StoredRollout | undefined);
      if (kind === 'budgets') return;
      const key = `${kind} ${name}`;
      const is = ruleGist(now);
      if (gists.get(key) === is) return;
      gists.set(key, is);
      for (const each of parts.nodeUpdateNames()) node(each);
    },
    attachment: node,
  };

  function observePhase(now: StoredNodeUpdate | undefined, before: StoredNodeUpdate | undefined): void {
    const [from, to] = [before?.status?.progress, now?.status?.progress];
    if (!from || !to || from.phase === to.phase || before?.uid !== now?.uid) return;
    const seconds = (Date.parse(to.since) - Date.parse(from.since)) / 1000;
    if (seconds >= 0) metrics.observe('plinth_slot_seconds', seconds, { phase: from.phase });
  }
}

/** Spec and phase: what a node's look depends on, of rollouts and policies. Counts change all the time. */
function ruleGist(now: Identified | undefined): string {
  const { generation, status } = (now ?? {}) as { generation?: number; status?: { phase?: string } };
  return now ? `${now.uid} ${generation} ${status?.phase ?? ''}` : '';
}
