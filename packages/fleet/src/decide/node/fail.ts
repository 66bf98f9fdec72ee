import type { Reason } from '../../objects/index.ts';
import type { Decision } from '../decision.ts';
import { type Change, isOfThisBoot, move, type NodeCase } from './node-case.ts';
import { authorize, backInto, wasStarted } from './start.ts';
import { denying } from './target.ts';

/** counting is what a failure leaves in the NodeUpdate: it counts, and the release is denied to this node. */
function counting({ progress, target }: NodeCase, reason: Reason, event: string): Change {
  return {
    ...{ reason, event: { type: 'Warning', reason: event } },
    progress: {
      failures: progress.failures + 1,
      denied: denying(progress, target.release, reason),
    },
  };
}

/**
 * fail counts a failure of the release on this node and denies it there, so it is never written over the system that is
 * still good (omni#1552). A node that runs the release is started back once; one that fell back is only looked after.
 */
export function fail(node: NodeCase, reason: Reason): Decision {
  const { report, policy } = node;
  const change = counting(node, reason, 'UpdateFailed');
  if (!report || !isOfThisBoot(node)) return move(node, 'Unreachable', change);
  const back = policy.spec.failureBudget.rollbackFailedNodes ? backInto(node) : undefined;
  if (back !== undefined) return authorize(node, 'Back', back, 'RollingBack', change);
  return move(node, wasStarted(node) ? 'Unreachable' : 'RollingBack', change);
}

/** lose counts a node that its provider did not take away in time. It may still go, so it has its slot and is not given back. */
export function lose(node: NodeCase, reason: Reason): Decision {
  return move(node, 'Unreachable', counting(node, reason, 'UpdateFailed'));
}

/** regress counts a node that was back in service and is not well any more. It has no slot, so nothing is done to it; its peers wait. */
export function regress(node: NodeCase, text: string): Decision {
  return move(
    node,
    'Quarantined',
    counting(node, { code: 'node/regressed', text: text.slice(0, 1024) }, 'UpdateRegressed'),
  );
}
