import { type DrainPlan, namesOfPods, planDrain } from '@plinth/updates';
import { durationMs, type Reason } from '../../objects/index.ts';
import type { EvictionTry, PodView } from '../../view/view.ts';
import type { Write } from '../decision.ts';
import { type NodeCase, sinceMs, type Waiting } from './node-case.ts';
import { deletesAfterMs, podsMs } from './phases.ts';

/** Most evictions that one look asks for; the runtime spreads them over time by its own rate. */
const BATCH = 50;
/** How long until a pod that may not go yet is asked again, and one that was granted and is still there. */
const RETRY_MS = 10_000;
const GRANTED_MS = 30_000;
const LOOK_MS = 5_000;
/** Our own pods tolerate our taint and would come back to the same node; they end with it, and another replica goes on. */
const OPERATOR = 'plinth-fleet';

/** What emptying a node has come to. */
export type DrainState =
  | { readonly is: 'empty' }
  /** It cannot become empty by waiting: the slot goes to another node. */
  | { readonly is: 'blocked'; readonly reason: Reason }
  | { readonly is: 'going'; readonly waiting: Waiting; readonly isEscalated: boolean };

/**
 * drainStep says which pods are asked to go next. Nobody is asked while one is there that may not go at all, so a node
 * that cannot be emptied loses no pod. Pods are deleted past a budget only in the lane Critical, where the policy says
 * after how long.
 */
export function drainStep(node: NodeCase): DrainState {
  const { view, policy, node: machine } = node;
  const { drain } = policy.spec;
  const pods = view.pods.get(machine.name);
  if (!pods) return going('drain/not-listed', 'its pods are being listed');
  const others = pods.filter((pod) => pod.labels['app.kubernetes.io/name'] !== OPERATOR);
  const plan = planDrain(others, {
    evictUnmanaged: drain.unmanagedPods === 'Evict',
    evictEmptyDir: drain.emptyDir === 'Evict',
  });
  if (plan.unmanaged.length > 0)
    return blocked(
      'drain/unmanaged-pods',
      `no controller starts ${namesOfPods(byName(plan.unmanaged))} elsewhere`,
    );
  if (plan.holdingData.length > 0)
    return blocked(
      'drain/empty-dir',
      `${namesOfPods(byName(plan.holdingData))} would lose data in an emptyDir`,
    );
  if (plan.evict.length + plan.leaving.length > 0) return emptying(node, plan);
  const attachments = view.attachments.get(machine.name);
  if (!attachments) return going('drain/not-listed', 'its volumes are being listed');
  if (attachments.length > 0)
    return going('drain/attached', `${attachments.length} volumes are not detached yet`);
  return { is: 'empty' };
}

function emptying(node: NodeCase, plan: DrainPlan<PodView>): DrainState {
  const { view, policy, nowMs, target } = node;
  const { drain } = policy.spec;
  const tryOf = (pod: PodView) => view.evictionTries.get(pod.uid);
  const twoBudgets = plan.evict.find((pod) => isForGood(tryOf(pod)));
  if (twoBudgets)
    return blocked(
      'drain/two-budgets',
      `two disruption budgets select ${namesOfPods([twoBudgets])}, and Kubernetes evicts no such pod`,
    );
  const [held] = byName(plan.evict).filter((pod) => tryOf(pod)?.status === 429);
  const reason = held
    ? {
        code: 'drain/held',
        text: `a disruption budget holds ${namesOfPods([held])}: ${tryOf(held)?.message}`.slice(0, 1024),
      }
    : { code: 'drain/evicting', text: 'its pods go' };
  const overMs = nowMs - sinceMs(node) - podsMs(drain);
  const deletesMs = deletesAfterMs(drain, target.lane);
  if (overMs >= 0 && drain.onTimeout !== 'Hold' && deletesMs === undefined) return { is: 'blocked', reason };
  const mayDelete = deletesMs !== undefined && overMs >= deletesMs;
  const writes = byName(plan.evict)
    .filter((pod) => isDue(tryOf(pod), nowMs))
    .slice(0, BATCH)
    .map((pod) =>
      mayDelete && tryOf(pod)?.status === 429
        ? deletion(pod)
        : eviction(pod, durationMs(drain.gracePeriodCap)),
    );
  return {
    ...{ is: 'going', waiting: { awaits: reason, writes, againMs: LOOK_MS } },
    isEscalated: writes.some((write) => write.do === 'delete-pod'),
  };
}

/** Two budgets on one pod are answered with 500, again and again, until somebody changes them. */
function isForGood(last: EvictionTry | undefined): boolean {
  return last?.status === 500 && /more than one PodDisruptionBudget/i.test(last.message);
}

function isDue(last: EvictionTry | undefined, nowMs: number): boolean {
  if (!last) return true;
  return nowMs - last.atMs >= (last.status === 201 || last.status === 200 ? GRANTED_MS : RETRY_MS);
}

function eviction(pod: PodView, capMs: number): Write {
  const { namespace, name, uid } = pod;
  const capSeconds = capMs / 1000;
  return {
    ...{ do: 'evict', namespace, pod: name, uid },
    // A pod's own time is only ever cut, never stretched.
    graceSeconds: pod.graceSeconds > capSeconds ? capSeconds : undefined,
  };
}

function deletion({ namespace, name, uid }: PodView): Write {
  return { do: 'delete-pod', namespace, pod: name, uid };
}

function byName(pods: readonly PodView[]): readonly PodView[] {
  return [...pods].sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1));
}

function going(code: string, text: string): DrainState {
  return { is: 'going', waiting: { awaits: { code, text }, againMs: LOOK_MS }, isEscalated: false };
}

function blocked(code: string, text: string): DrainState {
  return { is: 'blocked', reason: { code, text } };
}
