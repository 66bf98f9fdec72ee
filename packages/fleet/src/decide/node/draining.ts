import { momentMs, momentOf } from '../../objects/index.ts';
import type { Decision } from '../decision.ts';
import { moreUrgent, wantedTarget } from '../rollout/wanted.ts';
import { isFresh, whyNotEmpty } from './acting.ts';
import { backOffMs } from './back-off.ts';
import { drainStep } from './drain-step.ts';
import { isOfThisBoot, move, type NodeCase, type Step } from './node-case.ts';
import { SWAP_STAGING_MS } from './phases.ts';
import { isPrepared, isReplaced } from './replacing.ts';
import { hasUpdateTaint } from './slot.ts';
import { authorize, needsReboot, systemBefore } from './start.ts';
import { isGoingBack, whyStop } from './stop.ts';
import { deniedReason, isAtTarget, kubernetesAt, restaging } from './target.ts';
import { beginUpgrade } from './upgrading.ts';

const ASK_MS = 5_000;

/** draining empties the node, swaps its target for a more urgent one on the way, and permits the start. */
export function draining(node: NodeCase): Step {
  const { target, progress, nowMs } = node;
  const stop = whyStop(node);
  if (stop) return move(node, 'Yielding', { reason: stop });
  const swapped = swapTarget(node);
  if (swapped) return swapped;
  const isReady = isGoingBack(node) || isPrepared(node);
  const swappedAtMs = progress.retargetedAt === undefined ? undefined : momentMs(progress.retargetedAt);
  if (!isReady && (swappedAtMs === undefined || nowMs - swappedAtMs > SWAP_STAGING_MS))
    return move(node, 'Yielding', {
      reason: { code: 'node/not-staged', text: 'the release is not staged in time' },
    });
  const staging = isReady ? [] : ([{ call: 'stage', target }] as const);
  const busy = whyNotEmpty(node);
  if (busy) return { awaits: busy, calls: isReady ? [{ call: 'report' }] : staging, againMs: ASK_MS };
  // A part that needs no reboot disturbs no pod.
  const state = isReplaced(node) || needsReboot(node) ? drainStep(node) : ({ is: 'empty' } as const);
  if (state.is === 'blocked')
    return move(node, 'Yielding', {
      reason: state.reason,
      event: { type: 'Warning', reason: 'DrainBlocked' },
    });
  if (state.is === 'empty' && isReady) return permit(node);
  if (state.is === 'empty')
    return {
      awaits: { code: 'node/staging', text: 'it is empty, and stages the more urgent release' },
      ...{ calls: staging, againMs: ASK_MS },
    };
  if (state.isEscalated && !progress.escalated)
    return move(node, 'Draining', { progress: { escalated: true, since: progress.since } });
  return { ...state.waiting, calls: staging };
}

function permit(node: NodeCase): Step {
  const { target, report, progress, policy, node: machine } = node;
  const isBack = isGoingBack(node);
  if (isReplaced(node))
    return hasUpdateTaint(machine) ? move(node, 'Replacing', REPLACING) : move(node, 'Tainting');
  if (!isBack && report && !kubernetesAt(target, report, machine)) return beginUpgrade(node);
  if (!needsReboot(node)) return move(node, isBack ? 'RollingBack' : 'Authorized', isBack ? TAKEN_BACK : {});
  if (!isBack && target.osRootHash !== '' && isAtTarget(target, report, machine))
    return move(node, 'Yielding', {
      reason: { code: 'node/at-target', text: 'it runs the release already' },
    });
  if (progress.starts > (isBack ? 1 : 0))
    return move(node, 'Yielding', {
      reason: { code: 'node/too-many-starts', text: 'it was started for this release before' },
    });
  if (!hasUpdateTaint(node.node)) return move(node, 'Tainting');
  if (!report || !isOfThisBoot(node) || !isFresh(node))
    return {
      awaits: { code: 'node/not-heard', text: 'plinthd of this boot has not answered yet' },
      ...{ calls: [{ call: 'report' }], againMs: ASK_MS },
    };
  if (!isBack) return authorize(node, 'Forward', target.osRootHash || report.osRootHash, 'Authorized');
  const before = systemBefore(node);
  if (before === undefined)
    return move(node, 'Yielding', {
      reason: { code: 'node/no-way-back', text: 'it knows no system to go back to' },
      progress: { nextTry: momentOf(node.nowMs + backOffMs(policy.spec, progress.attempts)) },
    });
  return authorize(node, 'Back', before, 'RollingBack', TAKEN_BACK);
}

const REPLACING = { event: { type: 'Normal', reason: 'Replacing' } } as const;
const TAKEN_BACK = { reason: { code: 'rollout/aborted', text: 'its rollout is taken back' } };

/** A more urgent release takes over the taint and the drain of the one before: the node is emptied and started once. */
function swapTarget(node: NodeCase): Decision | undefined {
  const wanted = wantedTarget(node.view, node.policy.name);
  const { target, progress, report } = node;
  if (!wanted || wanted.release === target.release || isGoingBack(node)) return undefined;
  if (moreUrgent(target.lane, wanted.lane) === target.lane || deniedReason(progress, wanted.release))
    return undefined;
  return move(node, 'Draining', {
    reason: { code: 'rollout/retargeted', text: `${wanted.release} took the place of ${target.release}` },
    spec: { target: wanted, authorization: undefined },
    progress: {
      ...{ since: progress.since, retargetedAt: momentOf(node.nowMs), starts: 0, failures: 0 },
    },
    report: restaging(report, false),
  });
}
