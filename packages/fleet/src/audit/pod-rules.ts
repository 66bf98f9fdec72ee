import type { Finding } from './ledger-rules.ts';
import type { ObservedPod } from './observation.ts';
import { isTainted, type Seen } from './seen.ts';

/** Evictions are counted over this long. */
const WINDOW_MS = 30_000;
/** Times of the API server are whole seconds. */
const ROUNDED_SECONDS = 1;

/**
 * auditPod looks at a pod that begins to go from a node with our taint: whether a budget that selects it let it go (S11), and whether more go in a
 * time than the policy allows (S15). Somebody else who deletes pods of such a node looks the same from outside.
 */
export function* auditPod(
  seen: Seen,
  before: ObservedPod | undefined,
  after: ObservedPod | undefined,
  nowMs: number,
): Generator<Finding> {
  if (!before?.details || before.details.goingSinceMs !== undefined || stays(before)) return;
  // One that is gone at once was never seen to be going.
  const goingMs = after ? after.details?.goingSinceMs : nowMs;
  if (goingMs === undefined || !isTainted(seen.nodes.get(before.node))) return;
  yield* auditBudget(seen, before);
  yield* auditRate(seen, before.node, goingMs);
}

/** Pods that no drain asks to go. */
function stays({ isMirror, controllerKind, phase }: ObservedPod): boolean {
  return isMirror || controllerKind === 'DaemonSet' || phase === 'Succeeded' || phase === 'Failed';
}

/** The API server writes into the budget whom it lets go before it deletes the pod, so that is seen first. */
function* auditBudget(seen: Seen, { node, details }: ObservedPod): Generator<Finding> {
  if (!details) return;
  const { namespace, name, labels, isReady } = details;
  const key = `${namespace}/${name}`;
  const isGranted = seen.granted.delete(key);
  const update = seen.updates.get(node);
  // What is not Ready is no loss to a budget; and some deletions are on record.
  if (isGranted || !isReady || update?.status?.progress?.escalated === true) return;
  const held = [...seen.budgets.values()].find(
    (budget) => budget.namespace === namespace && selects(budget.selector, labels),
  );
  if (held)
    yield ['S11', `the pod ${key} of ${node} was deleted, and the budget ${held.name} did not let it go`];
}

function selects(
  { matchLabels, matchExpressions }: NonNullable<ReturnType<Seen['budgets']['get']>>['selector'],
  labels: Readonly<Record<string, string>>,
): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      return operator === 'In' ? values.includes(value ?? '\0') : !values.includes(value ?? '\0');
    })
  );
}

/** Two operators, one after the other, may each begin with the pods of a second at once. */
function* auditRate(seen: Seen, node: string, goingMs: number): Generator<Finding> {
  const name = seen.updates.get(node)?.spec.policy ?? '';
  const rate = seen.policies.get(name)?.spec.churn.maxEvictionsPerSecond;
  if (rate === undefined) return;
  const recent = (seen.evictionsMs.get(name) ?? []).filter((atMs) => goingMs - atMs < WINDOW_MS);
  recent.push(goingMs);
  seen.evictionsMs.set(name, recent);
  const most = rate * (WINDOW_MS / 1000 + ROUNDED_SECONDS) + 2 * Math.max(1, rate);
  if (recent.length > most)
    yield [
      'S15',
      `${name}: ${recent.length} pods were moved in ${WINDOW_MS / 1000} s, ${Math.floor(most)} may be`,
    ];
}
