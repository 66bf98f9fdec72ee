import { namesOfPods, planDrain } from '@plinth/updates';
import type { PolicySpec, Reason } from '../../objects/index.ts';
import type { BudgetView, PodView } from '../../view/view.ts';
import { amount } from '../count.ts';
import { selectsLabels } from '../select.ts';

/** Keeps nodes apart whose pods need more of one disruption budget than it has. */
export interface Packing {
  /** Why the pods of a node cannot all go, beside those of the nodes taken before; undefined: they can. */
  problem(pods: readonly PodView[]): Reason | undefined;
  take(pods: readonly PodView[]): void;
  /** Pods of a node that a budget holds: nodes with few go first. */
  heldPods(pods: readonly PodView[]): number;
}

/**
 * packingOf counts, for each budget, the pods that still have to go from the nodes in flight. A node fits when all its pods
 * of each budget are allowed to go beside them; alone with a budget, one allowed disruption suffices, as pods go one by one.
 */
export function packingOf(
  budgets: readonly BudgetView[],
  inFlight: Iterable<readonly PodView[]>,
  drain: PolicySpec['drain'],
): Packing {
  const byNamespace = Map.groupBy(budgets, ({ namespace }) => namespace);
  const used = new Map<BudgetView, number>();
  const budgetsOf = (pod: PodView) =>
    (byNamespace.get(pod.namespace) ?? []).filter(({ selector }) => selectsLabels(selector, pod.labels));
  const goingOf = (pods: readonly PodView[]) =>
    planDrain(pods, {
      evictUnmanaged: drain.unmanagedPods === 'Evict',
      evictEmptyDir: drain.emptyDir === 'Evict',
    });
  const take = (pods: readonly PodView[]) => {
    for (const pod of goingOf(pods).evict)
      for (const budget of budgetsOf(pod)) used.set(budget, (used.get(budget) ?? 0) + 1);
  };
  for (const pods of inFlight) take(pods);
  return {
    take,
    heldPods: (pods) => goingOf(pods).evict.filter((pod) => budgetsOf(pod).length > 0).length,
    problem: (pods) => {
      const { evict, unmanaged, holdingData } = goingOf(pods);
      if (unmanaged.length > 0)
        return blocked('unmanaged-pods', `nobody would start ${namesOfPods(unmanaged)} elsewhere`);
      if (holdingData.length > 0)
        return blocked('local-data', `${namesOfPods(holdingData)} would lose what they keep in an emptyDir`);
      const needed = new Map<BudgetView, number>();
      for (const pod of evict) {
        const holding = budgetsOf(pod);
        if (holding.length > 1)
          return blocked('two-budgets', `${namesOfPods([pod])}: ${namesOf(holding)} both select it`);
        for (const budget of holding) needed.set(budget, (needed.get(budget) ?? 0) + 1);
      }
      for (const [budget, count] of needed) {
        const others = used.get(budget) ?? 0;
        const allowed = budget.disruptionsAllowed - others;
        if (allowed >= count || (others === 0 && allowed >= 1)) continue;
        return blocked(
          'disruption-budget',
          `${namesOf([budget])} allows ${amount(budget.disruptionsAllowed, 'disruption')}; nodes under way want ${others}, this one ${count}`,
        );
      }
      return undefined;
    },
  };
}

function blocked(code: string, text: string): Reason {
  return { code: `drain/${code}`, text: text.slice(0, 1024) };
}

function namesOf(budgets: readonly BudgetView[]): string {
  return budgets.map(({ namespace, name }) => `PodDisruptionBudget ${namespace}/${name}`).join(' and ');
}
