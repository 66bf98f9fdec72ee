import {
  durationMs,
  LIST_LIMIT,
  momentMs,
  momentOf,
  type PolicySpec,
  type Reason,
  type RolloutStatus,
} from '../../objects/index.ts';
import type { StoredRollout } from '../../view/view.ts';
import { amount } from '../count.ts';
import type { Member } from './pool.ts';
import type { BadReplacement } from './replaced.ts';
import type { Taken } from './waves.ts';

type Failure = RolloutStatus['failures'][number];

/** The failures of a rollout with those that nodes tell now and nobody wrote down yet, newest last. */
export function failuresOf(
  known: readonly Failure[],
  members: readonly Member[],
  rollout: string,
  nowMs: number,
  bad: readonly BadReplacement[] = [],
): readonly Failure[] {
  const counts = new Map<string, number>();
  for (const { node } of known) counts.set(node, (counts.get(node) ?? 0) + 1);
  const added: Failure[] = [];
  for (const { node, update, progress } of members) {
    if (update?.spec.target?.rollout !== rollout || progress === undefined) continue;
    for (let count = counts.get(node.name) ?? 0; count < progress.failures; count += 1)
      added.push({
        node: node.name,
        at: momentOf(nowMs),
        reason: progress.reason ?? { code: 'fleet/failed', text: `failed in ${progress.phase}` },
      });
  }
  for (const { node, reason } of bad)
    if (!known.some((each) => each.node === node && each.reason.code === reason.code))
      added.push({ node, at: momentOf(nowMs), reason });
  return added.length === 0 ? known : [...known, ...added].slice(-LIST_LIMIT);
}

/** Failures that count: inside the window, and after a person cleared the last halt. */
export function countedFailures(
  failures: readonly Failure[],
  policy: PolicySpec,
  rollout: StoredRollout,
  nowMs: number,
): readonly Failure[] {
  const windowMs = durationMs(policy.failureBudget.window);
  const clearedMs = momentMs(rollout.spec.clearedHaltAt ?? '');
  return failures.filter(({ at }) => nowMs - momentMs(at) <= windowMs && !(momentMs(at) <= clearedMs));
}

/**
 * Why the failure budget is spent; undefined: it is not. Canaries have a budget of their own. After them it is spent by more
 * failures than `absolute` and more than `percent` of the nodes begun with: small fleets go by the first, large by the second.
 */
export function budgetProblem(
  counted: readonly Failure[],
  { failureBudget }: PolicySpec,
  isCanary: boolean,
  taken: Taken,
): Reason | undefined {
  const tried = taken.begun + counted.length;
  const allowed = isCanary
    ? failureBudget.canary
    : Math.max(failureBudget.absolute, Math.floor((failureBudget.percent * tried) / 100));
  const last = counted.at(-1);
  if (last === undefined || counted.length <= allowed) return undefined;
  const text = `${counted.length} of ${amount(tried, 'node')} failed, ${allowed} may${isCanary ? ' of the canaries' : ''}; the last: ${last.node}: ${last.reason.text}`;
  return { code: 'rollout/failure-budget', text: text.slice(0, 1024) };
}
