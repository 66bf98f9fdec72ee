import type { PolicyStatus } from '../../objects/index.ts';
import type { StoredPolicy } from '../../view/view.ts';
import { amount } from '../count.ts';
import { driftOf } from '../drift.ts';
import { conditionsOf } from './conditions.ts';
import type { Pool } from './pool.ts';
import type { Wanted } from './wanted.ts';

const NAMED = 10;
/** Stands only in policies that it was true of. */
const DRIFTED = 'ConfigDrifted';

/** What a policy says about itself: nodes that others select too, and a release that is not there. */
export function policyStatusOf(
  policy: StoredPolicy,
  wanted: Wanted | undefined,
  { members, conflicts }: Pool,
  nowMs: number,
): PolicyStatus {
  const named = policy.spec.release;
  const isMissing = named !== '' && wanted === undefined;
  const hasConflict = conflicts.length > 0;
  const shown = conflicts.slice(0, NAMED).map((each) => `${each.node} (${each.policy})`);
  const wishes = [
    {
      ...{ type: 'Conflict', status: hasConflict, reason: hasConflict ? 'NodesInTwoPolicies' : 'None' },
      message: hasConflict
        ? `not touched, as other policies select them too: ${amount(conflicts.length, 'node')}: ${shown.join(', ')}`
        : '',
    },
    {
      ...{ type: 'ReleaseFound', status: !isMissing },
      reason: isMissing ? 'Missing' : named === '' ? 'NoneNamed' : 'Found',
      message: isMissing ? `there is no PlinthRelease ${named}` : '',
    },
  ];
  const drifted = members.flatMap(({ node, update }) => {
    const [first, ...more] = update ? driftOf(update) : [];
    return first === undefined ? [] : [`${node.name} (${first}${more.length > 0 ? ', …' : ''})`];
  });
  if (drifted.length > 0 || policy.status?.conditions.some(({ type }) => type === DRIFTED))
    wishes.push({
      ...{ type: DRIFTED, status: drifted.length > 0, reason: drifted.length > 0 ? 'Changed' : 'None' },
      message:
        drifted.length > 0
          ? `not as the release has it: ${amount(drifted.length, 'node')}: ${drifted.slice(0, NAMED).join(', ')}`
          : '',
    });
  return {
    conditions: conditionsOf(policy.status?.conditions ?? [], wishes, nowMs, policy.generation),
    matchedNodes: members.length + conflicts.length,
  };
}
