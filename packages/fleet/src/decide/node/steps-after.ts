import { durationMs, momentMs, momentOf, type NodePhase, type NodeProgress } from '../../objects/index.ts';
import type { Decision } from '../decision.ts';
import { actOf } from './acting.ts';
import { backOffMs } from './back-off.ts';
import { fail, regress } from './fail.ts';
import {
  type Change,
  fence,
  hasRebooted,
  isOfThisBoot,
  move,
  type NodeCase,
  onward,
  type Step,
  sinceMs,
  untaintWrite,
} from './node-case.ts';
import { authorize, awaitStart, backInto, isUnused, needsReboot } from './start.ts';
import { awaitHooks } from './steps-before.ts';
import { isGoingBack } from './stop.ts';
import { deniedReason, isAtTarget } from './target.ts';
import { judgeBack, judgeStart, revertedReason } from './verify.ts';

// Steps from the permitted start on. The node is tainted until it is proven, or given back.

const ASK_MS = 5_000;
const LOST_MS = 30_000;
const REPORT = { call: 'report' } as const;

/** starting is a node that may start: by a reboot, or in place where the release needs none. */
export function starting(node: NodeCase): Step {
  const { target, report, policy, nowMs } = node;
  if (needsReboot(node)) return awaitStart(node);
  if (report?.config?.state === 'Reverted') return fail(node, revertedReason(report));
  if (isAtTarget(target, report, node.node)) return move(node, 'Verifying');
  if (nowMs >= sinceMs(node) + durationMs(policy.spec.timeouts.reboot))
    return fail(
      node,
      report?.failure ?? { code: 'node/not-at-target', text: 'it did not take the release in time' },
    );
  return {
    awaits: { code: 'node/starting', text: 'plinthd puts the release in place' },
    ...{ calls: [{ call: 'activate', target }], againMs: ASK_MS },
  };
}

/** verifying waits for the proof; a node that fell back by itself has failed. */
export function verifying(node: NodeCase): Step {
  const verdict = judgeStart(node);
  if (verdict.is === 'proven')
    return node.policy.spec.hooks.after.length > 0 ? move(node, 'PostHook') : giveBack(node);
  if (verdict.is === 'fell-back') return fail(node, verdict.reason);
  return { awaits: verdict.reason, calls: [{ call: 'report' }], againMs: verdict.againMs };
}

/** postHook waits for those who look after the node before it takes pods again. */
export function postHook(node: NodeCase): Step {
  return awaitHooks(node, node.policy.spec.hooks.after) ?? giveBack(node);
}

function giveBack(node: NodeCase, change?: Change): Decision {
  return onward(node, move(node, 'Untainting', change), untainting);
}

/** untainting gives the node back to its pods. A node that is not at its target came back from it. */
export function untainting(node: NodeCase): Decision {
  const { target, report, progress } = node;
  const isUpdated = isAtTarget(target, report, node.node) && !deniedReason(progress, target.release);
  return release(node, isUpdated ? 'Soaking' : 'Quarantined');
}

/** The taint first, the phase that gives the slot back last: a crash between leaks a slot, never a node. */
function release(node: NodeCase, phase: NodePhase, progress: Partial<NodeProgress> = {}): Decision {
  const permitted = node.update.spec.authorization;
  return move(node, phase, {
    ...(node.progress.reason && phase !== 'Soaking' && { reason: node.progress.reason }),
    before: [fence(node), untaintWrite(node, phase === 'Soaking')],
    // One for a boot that is over permits nothing; it goes when the next slot is taken up, or with the target.
    ...(permitted?.bootId === node.node.bootId && { spec: { authorization: undefined } }),
    progress,
    event: phase === 'Soaking' ? { type: 'Normal', reason: 'Updated' } : { type: 'Warning', reason: phase },
  });
}

/** yielding gives the slot back without a start: once it is certain that there is none. */
export function yielding(node: NodeCase): Step {
  const { update, progress, policy, nowMs } = node;
  if (hasRebooted(node)) return move(node, 'Verifying');
  if (update.spec.authorization && !isUnused(node))
    return {
      awaits: progress.reason ?? { code: 'node/yielding', text: 'its slot is given back' },
      ...{ calls: [{ call: 'report' }], againMs: ASK_MS },
    };
  const isBack = isGoingBack(node);
  return release(node, isBack ? 'Done' : 'Staged', {
    // How it came to the release tells how it goes back.
    ...(!isBack && { starts: 0 }),
    ...{ attempts: progress.attempts + 1, escalated: false, retargetedAt: undefined, placeKept: undefined },
    nextTry: momentOf(nowMs + backOffMs(policy.spec, progress.attempts)),
  });
}

/** soaking looks whether a node that is back in service stays well. */
export function soaking(node: NodeCase): Step {
  const { node: machine, report, policy, nowMs, target } = node;
  const { soak, ready } = policy.spec.nodeHealth;
  if (report && target.osRootHash !== '' && report.osRootHash !== target.osRootHash)
    return regress(node, report.failure?.text ?? `it runs ${report.osVersion} again`);
  if (!machine.isReady && nowMs - machine.readySinceMs >= durationMs(ready))
    return regress(node, 'it is Ready no more');
  const leftMs = sinceMs(node) + durationMs(soak) - nowMs;
  const isFresh = report !== undefined && momentMs(report.observedAt) >= sinceMs(node);
  if (leftMs <= 0 && machine.isReady && isFresh) return move(node, 'Done');
  return {
    awaits: { code: 'node/soaking', text: 'it has to stay well for a while' },
    calls: leftMs > 0 ? [] : [{ call: 'report' }],
    againMs: Math.max(leftMs, ASK_MS),
  };
}

/** rollingBack sends the permission to go back as long as it is good, and waits until the system before is well. */
export function rollingBack(node: NodeCase): Step {
  const { update, nowMs, report, progress, target } = node;
  const { authorization } = update.spec;
  const reason = progress.reason ?? { code: 'node/rolling-back', text: 'it goes back' };
  if (authorization?.direction === 'Back' && !hasRebooted(node)) {
    const isGood = nowMs < momentMs(authorization.notAfter);
    if (isUnused(node) && report && !actOf(report))
      return authorize(
        { ...node, progress: { ...progress, starts: progress.starts - 1 } },
        ...(['Back', authorization.rootHash, 'RollingBack'] as const),
        { reason, progress: { since: progress.since } },
      );
    return {
      ...{ awaits: reason, againMs: ASK_MS },
      calls: [{ call: isGood && !actOf(report) ? 'roll-back' : 'report' }],
    };
  }
  if (judgeBack(node).is === 'proven') return giveBack(node, { reason });
  // Nothing of a start has to be taken back, only what was put in place.
  const call = report?.config?.isOurs ? ({ call: 'take-back', target } as const) : REPORT;
  return { awaits: reason, calls: [call], againMs: ASK_MS };
}

/** unreachable goes on as soon as the node says where it is. Until then it is out of service, and counts as such. */
export function unreachable(node: NodeCase): Step {
  const { update, progress, target, report, policy } = node;
  const { authorization } = update.spec;
  const reason = progress.reason ?? { code: 'node/unreachable', text: 'it does not answer' };
  const waiting: Step = { awaits: reason, calls: [{ call: 'report' }], againMs: LOST_MS };
  // Its Machine may be on its way out: it is not given back, and its slot waits for the one in its place.
  if (node.entry?.replaced !== undefined || progress.placeKept) return waiting;
  if (!report || !isOfThisBoot(node)) return waiting;
  const isOnItsWayBack =
    authorization?.direction === 'Back' || deniedReason(progress, target.release) !== undefined;
  if (!isOnItsWayBack) {
    if (hasRebooted(node)) return move(node, 'Verifying');
    return isUnused(node) ? move(node, 'Yielding', { reason }) : waiting;
  }
  // Well again on either system: it goes back into service, and no further.
  if (judgeBack(node).is === 'proven' || judgeStart(node).is === 'proven') return giveBack(node, { reason });
  if (authorization?.direction === 'Back' && !hasRebooted(node))
    return isUnused(node) ? move(node, 'RollingBack', { reason }) : waiting;
  const back = policy.spec.failureBudget.rollbackFailedNodes ? backInto(node) : undefined;
  return back === undefined ? waiting : authorize(node, 'Back', back, 'RollingBack', { reason });
}
