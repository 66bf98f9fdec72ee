import { auditLedger, type Finding } from './ledger-rules.ts';
import { auditNode, auditSkew, auditStart, auditUpdate } from './node-rules.ts';
import type { Observation, Violation } from './observation.ts';
import { auditPod } from './pod-rules.ts';
import { entriesOf, isDown, isTainted, nothingSeen, type Seen } from './seen.ts';

export interface AuditOptions {
  /** How long the operator may not have known what people and nodes did (S1 and S2 for other nodes that are away, S10). */
  readonly lagMs: number;
  /** How long an entry of a Node that is gone may stay (S14). */
  readonly staleEntryMs: number;
  /** Version of the oldest API server, "v1.37.1"; absent: S8 is not looked at. */
  readonly apiServerVersion?: string;
}

/** The audit of one cluster. */
export interface Auditor {
  /** Takes the next change; they come in the order of the API server's versions. */
  observe(observation: Observation, nowMs: number): void;
  /** What depends on time alone: to be called now and then, and at the end. */
  check(nowMs: number): void;
  readonly violations: readonly Violation[];
  readonly observed: number;
}

/**
 * openAuditor watches a cluster from outside and holds it against the rules S1–S15: a pure state machine over what was
 * seen, which shares no code with decisions. Of windows (S10) what it cannot say it lets pass.
 */
export function openAuditor(options: AuditOptions): Auditor {
  const seen = nothingSeen();
  const violations: Violation[] = [];
  const orphans = new Map<string, number>();
  let observed = 0;

  const note = (findings: Iterable<Finding>, atMs: number) => {
    for (const [rule, text] of findings) violations.push({ rule, text, atMs });
  };

  return {
    violations,
    get observed() {
      return observed;
    },
    observe(observation, nowMs) {
      observed += 1;
      note([...rulesOf(seen, observation, nowMs, options)], nowMs);
      remember(seen, observation, nowMs, observed);
    },
    check(nowMs) {
      const gone = new Set<string>();
      for (const ledger of seen.ledgers.values())
        for (const { node, uid, replaced } of entriesOf(ledger)) {
          // That of a node that is replaced waits for the one in its place.
          if (replaced !== undefined || seen.nodes.get(node)?.uid === uid) continue;
          gone.add(uid);
          const since = orphans.get(uid) ?? nowMs;
          orphans.set(uid, since);
          if (nowMs - since > options.staleEntryMs)
            note([['S14', `${ledger.name}: the slot of ${node} outlived its Node`]], nowMs);
        }
      for (const uid of orphans.keys()) if (!gone.has(uid)) orphans.delete(uid);
    },
  };
}

function* rulesOf(
  seen: Seen,
  observation: Observation,
  nowMs: number,
  { lagMs, apiServerVersion }: AuditOptions,
): Generator<Finding> {
  switch (observation.kind) {
    case 'node':
      yield* auditNode(seen, seen.nodes.get(observation.name), observation.object);
      yield* auditSkew(observation.object, apiServerVersion);
      return;
    case 'nodeUpdate':
      yield* auditUpdate(seen, seen.updates.get(observation.name), observation.object);
      return;
    case 'ledger': {
      const { name, object: after } = observation;
      yield* auditLedger({ seen, name, before: seen.ledgers.get(name), after, nowMs, lagMs });
      return;
    }
    case 'pod':
      yield* auditPod(seen, seen.pods.get(observation.name)?.pod, observation.object, nowMs);
      return;
    case 'start':
      yield* auditStart(seen, observation.start);
      return;
    case 'pod-deletion':
      if (seen.updates.get(observation.node)?.status?.progress?.escalated !== true)
        yield ['S11', `a pod of ${observation.node} was deleted past its budget, and nothing says so`];
  }
}

function remember(seen: Seen, observation: Observation, nowMs: number, order: number): void {
  switch (observation.kind) {
    case 'node': {
      const { name, object } = observation;
      if (!object || !isTainted(object)) seen.taintedAt.delete(name);
      else if (!isTainted(seen.nodes.get(name))) seen.taintedAt.set(name, order);
      keepSince(seen.downSinceMs, name, object !== undefined && isDown(object), nowMs);
      keep(seen.nodes, name, object);
      break;
    }
    case 'nodeUpdate': {
      const { name, object } = observation;
      const permission = object?.spec.authorization;
      if (permission)
        seen.permissions.set(permission.nonce, {
          node: name,
          ...permission,
          release: object.spec.target?.release ?? '',
        });
      keep(seen.updates, name, object);
      break;
    }
    case 'ledger':
      keep(seen.ledgers, observation.name, observation.object);
      break;
    case 'policy': {
      const { name, object } = observation;
      keepSince(seen.stoppedSinceMs, `policy/${name}`, object?.spec.paused === true, nowMs);
      keep(seen.policies, name, object);
      break;
    }
    case 'rollout': {
      const { name, object } = observation;
      const isStopped =
        object !== undefined &&
        (object.spec.paused || object.spec.halt !== '' || object.spec.abort === 'Stop');
      keepSince(seen.stoppedSinceMs, `rollout/${name}`, isStopped, nowMs);
      keep(seen.rollouts, name, object);
      break;
    }
    case 'window':
      keep(seen.windows, observation.name, observation.object);
      break;
    case 'pod': {
      const { name, object } = observation;
      if (!object) seen.pods.delete(name);
      else seen.pods.set(name, { pod: object, order: seen.pods.get(name)?.order ?? order });
      return;
    }
    case 'budget': {
      const { name, object } = observation;
      const known = new Set(seen.budgets.get(name)?.disruptedPods);
      for (const pod of object?.disruptedPods ?? [])
        if (!known.has(pod)) seen.granted.add(`${object?.namespace}/${pod}`);
      keep(seen.budgets, name, object);
      break;
    }
    case 'start':
      seen.starts.push(observation.start);
  }
}

function keep<Value>(map: Map<string, Value>, name: string, value: Value | undefined): void {
  if (value === undefined) map.delete(name);
  else map.set(name, value);
}

/** Since when something holds; what does not hold any more is forgotten. */
function keepSince(map: Map<string, number>, name: string, holds: boolean, nowMs: number): void {
  if (!holds) map.delete(name);
  else if (!map.has(name)) map.set(name, nowMs);
}
